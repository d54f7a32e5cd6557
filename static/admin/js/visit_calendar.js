// Move a visit on the calendar: drag its block, or focus it and press M, then use the arrow keys. Both fill in and send
// the form of the page "Move", which checks the time and says why it refuses one; until then nothing has moved.
// Without this script each block is a link to the visit's card, which has "Move". Minutes are those of the local clock.
const calendar = document.querySelector(".cal");
const form = document.getElementById("cal-move");
const announcement = document.getElementById("cal-status");
const tracks = [...calendar.querySelectorAll(".cal-day .cal-track")];
const [first, last, repeatEnd, repeated] = form.dataset.axis.split(" ").map(Number);
const DRAG_PX = 5;
let moving = null; // {block, track, minute, ghost}
let pressed = null; // {block, x, y, pointer}

// The place of a local time on the axis. A repeated hour of the clock means the first of the two, as in the form.
const placeOf = (minute) => minute + (minute >= repeatEnd ? repeated : 0);
const pixels = () => moving.track.clientHeight / (last - first);
const two = (number) => String(number).padStart(2, "0");
const format = (minute) => `${Math.floor(minute / 60) % 12 || 12}:${two(minute % 60)} ${minute < 720 ? "AM" : "PM"}`;
const isList = () => !calendar.querySelector(".cal-axis").checkVisibility(); // a week on a phone

const show = () => {
  const { block, track, minute, ghost } = moving;
  ghost.style.top = `${(placeOf(minute) - first) * pixels()}px`;
  ghost.style.height = `${block.dataset.minutes * pixels()}px`;
  ghost.textContent = format(minute);
  if (ghost.parentElement !== track) track.append(ghost);
  announcement.textContent = `${track.dataset.label}, ${format(minute)}. Enter moves the visit there, Escape leaves it.`;
};

const begin = (block) => {
  const ghost = Object.assign(document.createElement("div"), { className: "cal-ghost" });
  ghost.setAttribute("aria-hidden", "true");
  moving = { block, track: block.closest(".cal-track"), minute: Number(block.dataset.starts), ghost };
  block.classList.add("is-moving");
  show();
};

const stop = () => {
  if (!moving) return;
  moving.ghost.remove();
  moving.block.classList.remove("is-moving");
  moving = pressed = null;
  announcement.textContent = "Not moved.";
};

const goTo = (minute, track = moving.track) => {
  const isInside = placeOf(minute) >= first && placeOf(minute) + Number(moving.block.dataset.minutes) <= last;
  if (isInside && minute >= 0) moving.minute = minute;
  moving.track = track ?? moving.track;
  show();
};

const send = () => {
  const { block, track, minute } = moving;
  if (track === block.closest(".cal-track") && minute === Number(block.dataset.starts)) return stop();
  form.action = form.dataset.action.replace(form.dataset.id, block.dataset.move);
  form.elements.therapist.value = track.dataset.therapist;
  form.elements.starts_at.value = `${track.dataset.day}T${two(Math.floor(minute / 60))}:${two(minute % 60)}`;
  form.elements.version.value = block.dataset.version;
  moving = null; // the blocks stay as they are until the page answers
  form.submit();
};

const step = () => Number(moving.block.dataset.step);
const beside = (offset) => tracks[tracks.indexOf(moving.track) + offset];
const KEYS = {
  ArrowUp: () => goTo(moving.minute - step()),
  ArrowDown: () => goTo(moving.minute + step()),
  ArrowLeft: () => goTo(moving.minute, beside(-1)),
  ArrowRight: () => goTo(moving.minute, beside(1)),
  Enter: send,
  Escape: stop,
};

calendar.addEventListener("keydown", (event) => {
  const block = event.target.closest("[data-move]");
  if (!block || event.ctrlKey || event.metaKey || event.altKey || isList()) return;
  const act = moving ? KEYS[event.key] : event.key.toLowerCase() === "m" && (() => begin(block));
  if (!act) return;
  event.preventDefault();
  act();
});
calendar.addEventListener("focusout", () => pressed || stop());

calendar.addEventListener("pointerdown", (event) => {
  const block = event.target.closest("[data-move]");
  const isScrolling = event.pointerType === "touch" && !event.target.closest(".cal-grip");
  if (!block || event.button || isScrolling || isList()) return;
  stop();
  pressed = { block, x: event.pageX, y: event.pageY, pointer: event.pointerId };
});
addEventListener("pointermove", (event) => {
  if (event.pointerId !== pressed?.pointer) return;
  const { block, x, y } = pressed;
  if (!moving && Math.hypot(event.pageX - x, event.pageY - y) < DRAG_PX) return;
  if (!moving) {
    begin(block);
    block.setPointerCapture(event.pointerId);
  }
  const steps = Math.round((event.pageY - y) / pixels() / step());
  const under = document.elementsFromPoint(event.clientX, event.clientY).find((one) => tracks.includes(one));
  goTo(Number(block.dataset.starts) + steps * step(), under);
});
addEventListener("pointerup", () => {
  if (pressed && moving) {
    addEventListener("click", (event) => event.preventDefault(), { capture: true, once: true }); // not the link
    send();
  }
  pressed = null;
});
addEventListener("pointercancel", stop);
calendar.addEventListener("dragstart", (event) => event.preventDefault()); // the browser's own dragging of links

for (const block of calendar.querySelectorAll("[data-move]")) {
  block.append(Object.assign(document.createElement("span"), { className: "cal-grip" })); // for fingers, which scroll elsewhere
}
document.getElementById("cal-help").hidden = false;
document.getElementById(location.hash.slice(1))?.focus();
