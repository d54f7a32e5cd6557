// Calls happen in two places at once. The browser knows the visitor's time zone: show it without being asked.
// Without this script the picker is an ordinary form.
const picker = document.querySelector("[data-zone-picker]");
const address = new URL(location.href);
const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;

const minutesFromUtc = (timeZone) => {
  const now = new Date();
  const local = new Date(now.toLocaleString("en-US", { timeZone }));
  const utc = new Date(now.toLocaleString("en-US", { timeZone: "UTC" }));
  return Math.round((local - utc) / 60000);
};

if (picker && zone && !address.searchParams.has("tz")) {
  if (minutesFromUtc(zone) !== minutesFromUtc(picker.dataset.clinicZone)) {
    address.searchParams.set("tz", zone);
    location.replace(address);
  }
}
