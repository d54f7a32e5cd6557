// Update the preview of an article at each pause in typing. Without this script the preview has a button.
const button = document.querySelector("[data-preview]");
const frame = document.querySelector("[name=preview]");
let pause;
let scrolled = 0;

const show = () => {
  scrolled = frame.contentWindow.scrollY;
  button.form.requestSubmit(button);
};

if (button) {
  frame.addEventListener("load", () => frame.contentWindow.scrollTo({ top: scrolled, behavior: "instant" }));
  button.form.addEventListener("input", () => {
    clearTimeout(pause);
    pause = setTimeout(show, 800);
  });
  show();
}
