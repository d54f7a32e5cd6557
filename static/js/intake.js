// Show and hide follow-up questions while a page is filled in. Without this script the page is shown again with them.
// A hidden question is in a disabled fieldset, so the browser does not send it, and it counts as not answered.
// Answers are read as in assessments/questionnaire/typed_answers.py; tests/assessments/condition_cases.py tests both.

const UNSEEN =
  /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\u200b\u202a-\u202e\u2066-\u2069\ufeff]/g;
const PLAIN = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d{1,3})?$/i;
const US_THOUSANDS = /^[+-]?[1-9]\d{0,2}(,\d{3})+(\.\d*)?$/;
const EUROPEAN_THOUSANDS = /^[+-]?[1-9]\d{0,2}(\.\d{3})+,\d+$/;
const DECIMAL_COMMA = /^[+-]?(\d+,\d{1,2}|0,\d+)$/;
const FRACTION = /^(?:(?:(\d+) ?)?([¼½¾])|(?:(\d+) )?(1\/4|1\/2|3\/4))$/;
const FRACTIONS = { "¼": 0.25, "1/4": 0.25, "½": 0.5, "1/2": 0.5, "¾": 0.75, "3/4": 0.75 };

const compare = {
  "=": (a, b) => a === b,
  "!=": (a, b) => a === b,
  ">": (a, b) => a > b,
  "<": (a, b) => a < b,
  ">=": (a, b) => a >= b,
  "<=": (a, b) => a <= b,
};

const clean = (text) => text.replace(/\r\n?|[\u2028\u2029]/g, "\n").replace(UNSEEN, "").trim();

function readDigits(text) {
  if (PLAIN.test(text)) return Number(text);
  if (US_THOUSANDS.test(text)) return Number(text.replaceAll(",", ""));
  if (EUROPEAN_THOUSANDS.test(text)) return Number(text.replaceAll(".", "").replace(",", "."));
  if (DECIMAL_COMMA.test(text)) return Number(text.replace(",", "."));
  const fraction = FRACTION.exec(text);
  return fraction ? Number(fraction[1] ?? fraction[3] ?? 0) + FRACTIONS[fraction[2] ?? fraction[4]] : NaN;
}

function readNumber(raw, units) {
  const text = raw.replaceAll("−", "-").replace(/\s+/g, " ");
  const number = readDigits(text);
  if (!Number.isNaN(number)) return number;
  const [, digits, unit] = /^([\d.,¼½¾/+\- ]*)([^]*)$/.exec(text);
  return units.includes(unit.toLowerCase()) ? readDigits(digits.trim()) : NaN;
}

const wholeYear = (day) =>
  day.startsWith("00") ? (Number(day.slice(2, 4)) >= 69 ? "19" : "20") + day.slice(2) : day;
const withSeconds = (moment) => (/(^|T)\d\d:\d\d$/.test(moment) ? `${moment}:00` : moment);

function read(text, { type, units }) {
  if (["integer", "decimal", "quantity"].includes(type)) return readNumber(text, units);
  if (type === "date" || type === "dateTime") return withSeconds(wholeYear(text));
  return type === "time" ? withSeconds(text) : text;
}

// The answers that the page would send; typed ones cleaned as on the server.
function answersTo({ question, other, isList }) {
  const named = [question, other].filter(Boolean).flatMap((name) => [...document.getElementsByName(name)]);
  return named
    .filter((control) => !control.matches(":disabled"))
    .flatMap((control) => {
      if (["radio", "checkbox"].includes(control.type)) return control.checked ? [control.value] : [];
      return (isList ? clean(control.value).split("\n") : [control.value]).map(clean).filter(Boolean);
    });
}

function isMet(condition) {
  if (condition.met !== undefined) return condition.met;
  const answers = answersTo(condition);
  if (condition.operator === "exists") return answers.length > 0 === condition.value;
  const wanted = read(condition.value, condition);
  const matches = answers.some((answer) => compare[condition.operator](read(answer, condition), wanted));
  return condition.operator === "!=" ? !matches : matches;
}

const parts = [...document.querySelectorAll("[data-conditions]")].map((element) => ({
  element,
  ...JSON.parse(element.dataset.conditions),
}));

// A question that the server requires ("kept") stays until an answer changes it. Each round may show or hide questions that
// others depend on. There are no dependency cycles, so it ends.
function reveal({ isFirst = false } = {}) {
  let isChanged = true;
  while (isChanged) {
    isChanged = false;
    for (const part of parts) {
      const isAsked = part.all ? part.conditions.every(isMet) : part.conditions.some(isMet);
      if (isAsked === part.isAsked) continue;
      part.isAsked = isAsked;
      isChanged = true;
      if (isFirst && "kept" in part.element.dataset) continue;
      part.element.hidden = part.element.disabled = !isAsked;
    }
  }
}

// "None of these" unticks the signs above it, and a sign unticks "None of these".
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
document.addEventListener("input", () => reveal());
reveal({ isFirst: true });
document.querySelector(".error-summary")?.focus();
