// Send the browser's time zone for a call, unless the visitor chose one. The server decides for each time whether it differs
// from the clinic's. Without this script the zone picker is an ordinary form.
const picker = document.querySelector("[data-zone-picker]");
const address = new URL(location.href);
const zone = Intl.DateTimeFormat().resolvedOptions().timeZone ?? "";
// Reported by a browser that hides its zone (Firefox: Reykjavik) or does not know it.
const isHidden = /^(|UTC|UCT|GMT|Zulu|Universal|Greenwich|Etc\/.*|Atlantic\/Reykjavik)$/.test(zone);

if (picker && !isHidden && zone !== picker.dataset.clinicZone && !address.searchParams.has("tz")) {
  address.searchParams.set("tz", zone);
  location.replace(address);
}
