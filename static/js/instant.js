// Search while typing. htmx is loaded on the first focus of the field, so that it does not delay the page.
// Without this script the form is an ordinary form.
const field = document.querySelector("[data-instant]");

const loadHtmx = () => {
  const script = document.createElement("script");
  script.src = field.dataset.instant;
  script.onload = () => field.value !== field.defaultValue && htmx.trigger(field, "search"); // typed while loading
  document.head.append(script);
};

field?.addEventListener("focus", loadHtmx, { once: true });
if (field === document.activeElement) loadHtmx();
