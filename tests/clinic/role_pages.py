"""Which role may open (G) and act on (P) each admin page. A new page must be entered here.

One row a URL, one column a role. "none" is a visitor who has not signed in. "old address" is the address of a row that
Django redirects to its page, the same for every model.
"""

ROLES = ("none", "owner", "therapist", "front-desk", "editor", "auditor")

TABLE = """
page                                          none        owner       therapist   front-desk  editor      auditor
view_on_site                                  -           GP          GP          -           GP          -
index                                         -           GP          GP          GP          GP          GP
login                                         GP          GP          GP          GP          GP          GP
logout                                        -           P           P           P           P           P
password_change                               -           GP          GP          GP          GP          GP
password_change_done                          -           G           G           G           G           G
autocomplete patient                          -           P           P           P           -           -
autocomplete user                             -           P           -           -           -           P
jsi18n                                        -           G           G           G           G           G
old address                                   -           GP          GP          GP          GP          GP
audit_accessevent_changelist                  -           GP          -           -           -           GP
audit_accessevent_add                         -           -           -           -           -           -
audit_accessevent_history                     -           GP          -           -           -           GP
audit_accessevent_delete                      -           -           -           -           -           -
audit_accessevent_change                      -           G           -           -           -           G
audit_accessevent_patient                     -           G           -           -           -           G
audit_accessevent_unusual                     -           G           -           -           -           G
audit_signinevent_changelist                  -           GP          -           -           -           GP
audit_signinevent_add                         -           -           -           -           -           -
audit_signinevent_history                     -           GP          -           -           -           GP
audit_signinevent_delete                      -           -           -           -           -           -
audit_signinevent_change                      -           G           -           -           -           G
practice_cleanuprun_changelist                -           GP          -           -           -           GP
practice_cleanuprun_add                       -           -           -           -           -           -
practice_cleanuprun_history                   -           GP          -           -           -           GP
practice_cleanuprun_delete                    -           -           -           -           -           -
practice_cleanuprun_change                    -           G           -           -           -           G
practice_clinic_changelist                    -           GP          GP          GP          -           -
practice_clinic_add                           -           -           -           -           -           -
practice_clinic_history                       -           GP          GP          GP          -           -
practice_clinic_delete                        -           -           -           -           -           -
practice_clinic_change                        -           GP          G           G           -           -
practice_patient_end_links                    -           P           P           P           -           -
practice_patient_export                       -           -           P           -           -           -
practice_patient_erase                        -           GP          -           -           -           -
practice_patient_merge                        -           GP          GP          -           -           -
practice_patient_changelist                   -           GP          GP          GP          -           -
practice_patient_add                          -           GP          GP          GP          -           -
practice_patient_history                      -           GP          GP          GP          -           -
practice_patient_delete                       -           -           -           -           -           -
practice_patient_change                       -           GP          GP          GP          -           -
practice_user_act link                        -           P           -           -           -           -
practice_user_act sessions                    -           P           -           -           -           -
practice_user_act factors                     -           P           -           -           -           -
practice_user_changelist                      -           GP          -           -           -           GP
practice_user_add                             -           GP          -           -           -           -
practice_user_history                         -           GP          -           -           -           GP
practice_user_delete                          -           -           -           -           -           -
practice_user_change                          -           GP          -           -           -           G
practice_therapist_changelist                 -           GP          GP          GP          -           -
practice_therapist_add                        -           GP          -           -           -           -
practice_therapist_history                    -           GP          GP          GP          -           -
practice_therapist_delete                     -           -           -           -           -           -
practice_therapist_change                     -           GP          G           G           -           -
outbox_textconsent_changelist                 -           GP          GP          GP          -           -
outbox_textconsent_add                        -           -           -           -           -           -
outbox_textconsent_history                    -           GP          GP          GP          -           -
outbox_textconsent_delete                     -           -           -           -           -           -
outbox_textconsent_change                     -           G           G           G           -           -
outbox_inboundtext_read                       -           P           P           P           -           -
outbox_inboundtext_changelist                 -           GP          GP          GP          -           -
outbox_inboundtext_add                        -           -           -           -           -           -
outbox_inboundtext_history                    -           GP          GP          GP          -           -
outbox_inboundtext_delete                     -           -           -           -           -           -
outbox_inboundtext_change                     -           G           G           G           -           -
outbox_message_act resend                     -           P           P           P           -           -
outbox_message_act cancel                     -           P           P           P           -           -
outbox_message_changelist                     -           GP          GP          GP          -           -
outbox_message_add                            -           -           -           -           -           -
outbox_message_history                        -           GP          GP          GP          -           -
outbox_message_delete                         -           -           -           -           -           -
outbox_message_change                         -           G           G           G           -           -
outbox_messagerule_preview                    -           P           -           -           -           -
outbox_messagerule_html                       -           G           -           -           -           -
outbox_messagerule_changelist                 -           GP          -           -           -           -
outbox_messagerule_add                        -           GP          -           -           -           -
outbox_messagerule_history                    -           GP          -           -           -           -
outbox_messagerule_delete                     -           GP          -           -           -           -
outbox_messagerule_change                     -           GP          -           -           -           -
outbox_suppression_changelist                 -           GP          GP          GP          -           -
outbox_suppression_add                        -           -           -           -           -           -
outbox_suppression_history                    -           GP          GP          GP          -           -
outbox_suppression_delete                     -           GP          GP          GP          -           -
outbox_suppression_change                     -           G           G           G           -           -
education_picture_changelist                  -           GP          GP          -           GP          -
education_picture_add                         -           GP          GP          -           GP          -
education_picture_history                     -           GP          GP          -           GP          -
education_picture_delete                      -           GP          -           -           GP          -
education_picture_change                      -           GP          GP          -           GP          -
education_topic_changelist                    -           GP          GP          -           GP          -
education_topic_add                           -           GP          -           -           GP          -
education_topic_history                       -           GP          GP          -           GP          -
education_topic_delete                        -           GP          -           -           GP          -
education_topic_change                        -           GP          G           -           GP          -
education_article_preview                     -           P           P           -           P           -
education_article_revisions                   -           GP          GP          -           GP          -
education_article_changelist                  -           GP          GP          -           GP          -
education_article_add                         -           GP          GP          -           GP          -
education_article_history                     -           GP          GP          -           GP          -
education_article_delete                      -           GP          -           -           GP          -
education_article_change                      -           GP          GP          -           GP          -
assessments_flag_changelist                   -           -           GP          -           -           -
assessments_flag_add                          -           -           -           -           -           -
assessments_flag_history                      -           -           GP          -           -           -
assessments_flag_delete                       -           -           -           -           -           -
assessments_flag_change                       -           -           GP          -           -           -
assessments_questionnaire_upload              -           GP          -           -           -           -
assessments_questionnaire_publish             -           -           P           -           -           -
assessments_questionnaire_changelist          -           GP          GP          -           -           -
assessments_questionnaire_add                 -           -           -           -           -           -
assessments_questionnaire_history             -           GP          GP          -           -           -
assessments_questionnaire_delete              -           -           -           -           -           -
assessments_questionnaire_change              -           GP          GP          -           -           -
assessments_response_export                   -           -           G           -           -           -
assessments_flag_acknowledge                  -           -           P           -           -           -
assessments_flag_follow_up                    -           -           GP          -           -           -
assessments_flag_reopen                       -           -           P           -           -           -
assessments_flag_rules                        -           -           G           -           -           -
assessments_response_changelist               -           -           GP          -           -           -
assessments_response_add                      -           -           -           -           -           -
assessments_response_history                  -           -           GP          -           -           -
assessments_response_delete                   -           -           -           -           -           -
assessments_response_change                   -           -           GP          -           -           -
assessments_rules_sign                        -           -           P           -           -           -
assessments_rulesignoff_changelist            -           -           GP          -           -           -
assessments_rulesignoff_add                   -           -           -           -           -           -
assessments_rulesignoff_history               -           -           GP          -           -           -
assessments_rulesignoff_delete                -           -           -           -           -           -
assessments_rulesignoff_change                -           -           G           -           -           -
booking_appointment_act arrived               -           P           P           P           -           -
booking_appointment_act undo-arrival          -           P           P           P           -           -
booking_appointment_act start                 -           P           P           P           -           -
booking_appointment_act undo-start            -           P           P           P           -           -
booking_appointment_act finish                -           P           P           P           -           -
booking_appointment_act undo-finish           -           P           P           P           -           -
booking_appointment_act no-show               -           P           P           P           -           -
booking_appointment_act undo-no-show          -           P           P           P           -           -
booking_appointment_act undo-move             -           P           P           P           -           -
booking_appointment_act silence-move          -           P           P           P           -           -
booking_appointment_act ask-to-move           -           P           P           P           -           -
booking_appointment_act cancel                -           P           P           P           -           -
booking_appointment_act cancel-charged        -           P           P           P           -           -
booking_appointment_act cancel-waived         -           P           P           P           -           -
booking_appointment_act fee-charged           -           P           P           P           -           -
booking_appointment_act fee-waived            -           P           P           P           -           -
booking_appointment_act fee-undo              -           P           P           P           -           -
booking_appointment_act called                -           P           P           P           -           -
booking_appointment_act undo                  -           P           P           P           -           -
booking_appointment_card                      -           G           G           G           -           -
booking_appointment_calendar                  -           G           G           G           -           -
booking_appointment_move                      -           GP          GP          GP          -           -
booking_appointment_find                      -           G           G           G           -           -
booking_appointment_changelist                -           GP          GP          GP          -           -
booking_appointment_add                       -           GP          GP          GP          -           -
booking_appointment_history                   -           GP          GP          GP          -           -
booking_appointment_delete                    -           -           -           -           -           -
booking_appointment_change                    -           G           G           G           -           -
booking_calendarfeed_changelist               -           GP          GP          -           -           -
booking_calendarfeed_add                      -           GP          GP          -           -           -
booking_calendarfeed_history                  -           GP          GP          -           -           -
booking_calendarfeed_delete                   -           -           -           -           -           -
booking_calendarfeed_change                   -           G           G           -           -           -
booking_openinghours_changelist               -           GP          GP          GP          -           -
booking_openinghours_add                      -           GP          GP          -           -           -
booking_openinghours_history                  -           GP          GP          GP          -           -
booking_openinghours_delete                   -           GP          GP          -           -           -
booking_openinghours_change                   -           GP          GP          G           -           -
booking_hoursoverride_holidays                -           GP          GP          GP          -           -
booking_hoursoverride_changelist              -           GP          GP          GP          -           -
booking_hoursoverride_add                     -           GP          GP          GP          -           -
booking_hoursoverride_history                 -           GP          GP          GP          -           -
booking_hoursoverride_delete                  -           GP          GP          GP          -           -
booking_hoursoverride_change                  -           GP          GP          GP          -           -
booking_service_changelist                    -           GP          GP          GP          -           -
booking_service_add                           -           GP          -           -           -           -
booking_service_history                       -           GP          GP          GP          -           -
booking_service_delete                        -           -           -           -           -           -
booking_service_change                        -           GP          G           G           -           -
booking_waitlistentry_offer                   -           P           P           P           -           -
booking_waitlistentry_changelist              -           GP          GP          GP          -           -
booking_waitlistentry_add                     -           GP          GP          GP          -           -
booking_waitlistentry_history                 -           GP          GP          GP          -           -
booking_waitlistentry_delete                  -           -           -           -           -           -
booking_waitlistentry_change                  -           GP          GP          GP          -           -
app_list assessments                          -           GP          GP          -           -           -
app_list audit                                -           GP          -           -           -           GP
app_list booking                              -           GP          GP          GP          -           -
app_list education                            -           GP          GP          -           GP          -
app_list outbox                               -           GP          GP          GP          -           -
app_list practice                             -           GP          GP          GP          -           GP
(?P<url>.*)$                                  -           -           -           -           -           -
"""


def cells_of() -> dict[str, dict[str, str]]:
    """Return the cell of each page and role."""
    head, *lines = [line.rsplit(maxsplit=len(ROLES)) for line in TABLE.strip().splitlines()]
    assert tuple(head[1:]) == ROLES
    return {name: dict(zip(ROLES, cells, strict=True)) for name, *cells in lines}
