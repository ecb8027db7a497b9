// Elements of the page.
export const FAMILY = "Inter, Helvetica Neue, Arial, Liberation Sans, DejaVu Sans, sans-serif";
export const FONT = `12px ${FAMILY}`;

export function add(parent, tag, name = "", text = "") {
  const made = document.createElement(tag);
  if (name) made.className = name;
  if (text) made.textContent = text;
  parent.append(made);
  return made;
}

export function showNothing(panel, body, text = "No data") {
  add(body, "div", "nothing", panel.fieldConfig?.defaults?.noValue ?? text);
}
