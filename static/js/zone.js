// Propose this computer's time zone if none is chosen, with a note. Without this script the clinic's state decides.
const field = document.querySelector("[data-zone-proposal]");
const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
// Reported by a browser that hides its zone (Firefox: Reykjavik).
const isHidden = /^(UTC|UCT|GMT|Etc\/.*|Atlantic\/Reykjavik)$/.test(zone);
const option = isHidden ? undefined : [...(field?.options ?? [])].find(({ value }) => value === zone);

if (option && field.value !== zone) {
  const note = document.createElement("div");
  note.className = "help zone-note";
  note.setAttribute("role", "status");
  note.textContent = field.value
    ? `This computer’s clock is set to ${option.text}.`
    : `Set from this computer’s clock: ${option.text}. Choose another zone if the clinic is elsewhere.`;
  if (!field.value) field.value = zone;
  (field.closest(".flex-container") ?? field).after(note);
}
