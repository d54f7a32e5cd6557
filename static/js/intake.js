// Shows and hides follow-up questions while a page is filled in. Without it the page comes again with them.
// A hidden question lies in a disabled fieldset: the browser does not send it, and it counts as not answered.

const compare = {
  "=": (a, b) => a === b,
  "!=": (a, b) => a === b,
  ">": (a, b) => a > b,
  "<": (a, b) => a < b,
  ">=": (a, b) => a >= b,
  "<=": (a, b) => a <= b,
};

const answersTo = (name) =>
  [...document.getElementsByName(name)]
    .filter((control) => !control.matches(":disabled"))
    .filter((control) => !["radio", "checkbox"].includes(control.type) || control.checked)
    .map((control) => control.value.trim())
    .filter((value) => value !== "");

const comparable = (text, like) => (typeof like === "number" ? Number(text) : text);

function isMet({ met, question, operator, value }) {
  if (met !== undefined) return met;
  const answers = answersTo(question);
  if (operator === "exists") return answers.length > 0 === value;
  const wanted = typeof value === "boolean" ? String(value) : value;
  const matches = answers.some((answer) => compare[operator](comparable(answer, wanted), wanted));
  return operator === "!=" ? !matches : matches;
}

function reveal() {
  for (const part of document.querySelectorAll("[data-conditions]")) {
    const { all, conditions } = JSON.parse(part.dataset.conditions);
    const isAsked = all ? conditions.every(isMet) : conditions.some(isMet);
    part.hidden = part.disabled = !isAsked;
  }
}

// "None of these" and the signs above it take turns.
function standAlone({ target }) {
  if (target.type !== "checkbox" || !target.checked) return;
  for (const other of document.getElementsByName(target.name)) {
    if (other !== target && (target.dataset.alone || other.dataset.alone)) other.checked = false;
  }
}

document.addEventListener("change", (event) => {
  standAlone(event);
  reveal();
});
document.addEventListener("input", reveal);
reveal();
document.querySelector(".error-summary")?.focus();
