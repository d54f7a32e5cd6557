"""Message kinds and rules, planning and rendering, the suppression list, and alerts to staff."""
