// Shows an article as it is being written: a pause in typing presses the preview's button. Without it, press it yourself.
const button = document.querySelector("[data-preview]");
const frame = document.querySelector("[name=preview]");
let pause;
let place = 0;

const show = () => {
  place = frame.contentWindow.scrollY;
  button.form.requestSubmit(button);
};

if (button) {
  frame.addEventListener("load", () => frame.contentWindow.scrollTo({ top: place, behavior: "instant" }));
  button.form.addEventListener("input", () => {
    clearTimeout(pause);
    pause = setTimeout(show, 800);
  });
  show();
}
