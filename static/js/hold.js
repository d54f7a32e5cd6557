// Update how long a hold still lasts. Without this script the page shows it as of its opening.
const left = document.querySelector("[data-hold-left]");
const until = document.querySelector("[data-hold-until]");

const format = (minutes) => {
  if (minutes < 0) return "none. Book now, and it is yours if no one else has taken it";
  if (minutes === 0) return "less than a minute";
  return minutes === 1 ? "about a minute" : `about ${minutes} minutes`;
};

if (left && until) {
  const end = new Date(until.dateTime);
  setInterval(() => {
    left.textContent = format(Math.floor((end - Date.now()) / 60000));
  }, 15000);
}
