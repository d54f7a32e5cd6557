"""Message rows: kinds, rules, planning, rendering, suppressions, alerts."""
