// Says in words how long a time is still kept. Without this script the page says it as of when it was opened.
const left = document.querySelector("[data-hold-left]");
const until = document.querySelector("[data-hold-until]");

const words = (minutes) => {
  if (minutes < 0) return "no time: book now, and you have it if nobody was faster";
  if (minutes === 0) return "less than a minute";
  return minutes === 1 ? "about a minute" : `about ${minutes} minutes`;
};

if (left && until) {
  const end = new Date(until.dateTime);
  setInterval(() => {
    left.textContent = words(Math.floor((end - Date.now()) / 60000));
  }, 15000);
}
