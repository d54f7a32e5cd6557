// Proposes the time zone of this computer's clock where none is chosen, and says so. Without this script the state does.
const field = document.querySelector("[data-zone-proposal]");
const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
// A browser that hides its zone reports one of these (Firefox says Reykjavik).
const isHidden = /^(UTC|UCT|GMT|Etc\/.*|Atlantic\/Reykjavik)$/.test(zone);
const option = isHidden ? undefined : [...(field?.options ?? [])].find(({ value }) => value === zone);

if (option && field.value !== zone) {
  const note = document.createElement("div");
  note.className = "help zone-note";
  note.setAttribute("role", "status");
  note.textContent = field.value
    ? `This computer’s clock is set to ${option.text}.`
    : `Proposed by this computer’s clock: ${option.text}. Choose another if the clinic is elsewhere.`;
  if (!field.value) field.value = zone;
  (field.closest(".flex-container") ?? field).after(note);
}
