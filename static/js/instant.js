// The search answers while one types. htmx comes once somebody touches the field, so that the page does not wait for it.
// Without this script the form is sent as any other.
const field = document.querySelector("[data-instant]");

const bringHtmx = () => {
  const script = document.createElement("script");
  script.src = field.dataset.instant;
  script.onload = () => field.value !== field.defaultValue && htmx.trigger(field, "search"); // typed meanwhile
  document.head.append(script);
};

field?.addEventListener("focus", bringHtmx, { once: true });
if (field === document.activeElement) bringHtmx();
