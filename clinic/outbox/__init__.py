"""Messages to patients and staff: planning, rendering and sending. Also inbound texts."""
