// A checkbox beside each password field that shows what was typed.
for (const field of document.querySelectorAll(".account input[type=password]")) {
  const label = document.createElement("label");
  const box = Object.assign(document.createElement("input"), { type: "checkbox" });
  label.className = "show-password";
  label.append(box, " Show what I type");
  box.addEventListener("change", () => { field.type = box.checked ? "text" : "password"; });
  field.form.addEventListener("submit", () => { field.type = "password"; }); // browsers then offer to store it
  field.after(label);
}
