// A call is chosen by the visitor's own clock, and the browser knows its zone: send it, unless the visitor chose one.
// The server decides for each time whether this clock differs from the clinic's. Without this script the picker is an
// ordinary form.
const picker = document.querySelector("[data-zone-picker]");
const address = new URL(location.href);
const zone = Intl.DateTimeFormat().resolvedOptions().timeZone ?? "";
// What a browser reports that hides its zone (Firefox says Reykjavik) or does not know it.
const isHidden = /^(|UTC|UCT|GMT|Zulu|Universal|Greenwich|Etc\/.*|Atlantic\/Reykjavik)$/.test(zone);

if (picker && !isHidden && zone !== picker.dataset.clinicZone && !address.searchParams.has("tz")) {
  address.searchParams.set("tz", zone);
  location.replace(address);
}
