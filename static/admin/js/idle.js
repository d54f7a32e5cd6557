// Warn before the session of an unused page ends, and leave the page once it has ended. Typing counts as use.
// The server ends the session by itself (clinic/staff/sign_in/session_limits.py); this only tells the reader in time.
const dialog = document.getElementById("idle");
const form = dialog.querySelector("form");
const { warnAfter, endAfter } = dialog.dataset;
const PING_EVERY_MS = 15000;
let pingedAt = Date.now();

const note = () => localStorage.setItem("usedAt", Date.now()); // shared with the other tabs
const quietFor = () => (Date.now() - Math.max(pingedAt, Number(localStorage.getItem("usedAt")))) / 1000;

const leave = () => document.getElementById("idle-end").submit(); // signs out, and leads to the sign-in

const ping = async () => {
  pingedAt = Date.now();
  note();
  const response = await fetch(form.action, { method: "POST", body: new FormData(form) }).catch(() => null);
  if (response?.redirected) leave();
};

for (const use of ["keydown", "pointerdown", "input"]) {
  addEventListener(use, () => {
    if (dialog.open) return;
    if (Date.now() - pingedAt > PING_EVERY_MS) ping();
  });
}
form.addEventListener("submit", (event) => {
  event.preventDefault();
  dialog.close();
  ping();
});
setInterval(() => {
  if (quietFor() >= endAfter) leave();
  else if (quietFor() >= warnAfter && !dialog.open) dialog.showModal();
  else if (quietFor() < warnAfter && dialog.open) dialog.close();
}, 2000);
note();
