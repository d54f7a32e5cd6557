"""The pages of staff accounts. allauth finds its own by these names."""

from allauth.account.views import account_inactive, password_change, password_set, reauthenticate
from django.urls import include, path

from clinic.staff.sign_in import views

urlpatterns = [
    path("sign-in/", views.SignInView.as_view(), name="account_login"),
    path("sign-out/", views.sign_out, name="account_logout"),
    path("closed/", account_inactive, name="account_inactive"),
    path("confirm/", reauthenticate, name="account_reauthenticate"),
    path("password/", password_change, name="account_change_password"),
    path("password/set/", password_set, name="account_set_password"),
    path("password/forgotten/", views.forgotten, name="account_reset_password"),
    path("password/forgotten/sent/", views.forgotten_sent, name="account_reset_password_done"),
    path("link/<str:token>/", views.follow_link, name="staff_link"),
    path("security/", views.AccountView.as_view(), name="mfa_index"),
    path("security/webauthn/keys/<int:pk>/remove/", views.RemovePasskeyView.as_view(), name="mfa_remove_webauthn"),
    path("security/webauthn/login/", views.PasskeySignInView.as_view(), name="mfa_login_webauthn"),
    path("security/webauthn/reauthenticate/", views.ConfirmByPasskeyView.as_view(), name="mfa_reauthenticate_webauthn"),
    path("security/", include("allauth.mfa.urls")),
    path("sessions/", views.sessions, name="usersessions_list"),
    path("still-here/", views.still_here, name="staff_still_here"),
]
