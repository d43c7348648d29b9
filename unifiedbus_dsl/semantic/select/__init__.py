"""Selections: one path language, on the plan and on the fabric."""
