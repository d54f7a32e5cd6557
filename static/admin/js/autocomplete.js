// Replaces Django's file of this name: searches are sent by POST, so that no URL contains a patient's name.
"use strict";
{
  const $ = django.jQuery;

  const ask = (element) => (params, found, failed) => {
    const token = element.form.elements.csrfmiddlewaretoken.value;
    const request = $.ajax({ ...params, type: "POST", headers: { "X-CSRFToken": token } });
    request.then(found, failed);
    return request;
  };

  $.fn.djangoAdminSelect2 = function () {
    return this.each((_, element) => {
      const { appLabel, modelName, fieldName } = element.dataset;
      const data = ({ term, page }) => ({
        term, page, app_label: appLabel, model_name: modelName, field_name: fieldName,
      });
      $(element).select2({ ajax: { data, transport: ask(element) } });
    });
  };

  $(() => $(".admin-autocomplete").not("[name*=__prefix__]").djangoAdminSelect2());
  document.addEventListener("formset:added", (event) => $(event.target).find(".admin-autocomplete").djangoAdminSelect2());
}
