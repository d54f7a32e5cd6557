"""The pages of staff accounts, and who may open (G) and act on (P) each. A new page must be entered here.

"none" is a visitor who has not signed in, "first" one who has shown the password but not the second step. Members of
staff ("staff") open the same pages of their own account, whatever their role.
"""

VISITORS = ("none", "first", "staff")

TABLE = """
page                          none  first  staff
account_login                 GP    -      GP
account_logout                P     P      P
account_inactive              G     G      G
account_reauthenticate        -     -      GP
account_change_password       -     -      GP
account_set_password          -     -      GP
account_reset_password        GP    GP     GP
account_reset_password_done   G     G      G
staff_link                    GP    GP     GP
mfa_index                     -     -      G
mfa_authenticate              -     GP     GP
mfa_reauthenticate            -     -      GP
mfa_activate_totp             -     -      GP
mfa_deactivate_totp           -     -      GP
mfa_generate_recovery_codes   -     -      GP
mfa_view_recovery_codes       -     -      G
mfa_download_recovery_codes   -     -      G
mfa_list_webauthn             -     -      G
mfa_add_webauthn              -     -      GP
mfa_edit_webauthn             -     -      GP
mfa_remove_webauthn           -     -      GP
mfa_login_webauthn            P     -      GP
mfa_reauthenticate_webauthn   -     -      GP
usersessions_list             -     -      GP
staff_still_here              -     -      P
"""


def cells_of() -> dict[str, dict[str, str]]:
    """Return the cell of each page and visitor."""
    head, *lines = [line.split() for line in TABLE.strip().splitlines()]
    assert tuple(head[1:]) == VISITORS
    return {name: dict(zip(VISITORS, cells, strict=True)) for name, *cells in lines}
