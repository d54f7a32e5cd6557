// Shows an article as it is being written: a pause in typing presses the preview's button. Without it, press it yourself.
const button = document.querySelector("[data-preview]");
let pause;

button?.form.addEventListener("input", () => {
  clearTimeout(pause);
  pause = setTimeout(() => button.form.requestSubmit(button), 800);
});
