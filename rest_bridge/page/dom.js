// Elements made of values: text of the service or of a caller never becomes markup.

export const byId = (id) => document.getElementById(id);

// `attributes` that begin with "on" are listeners; false, null and undefined are left out.
export function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (key.startsWith("on")) made.addEventListener(key.slice(2), value);
    else if (value === true) made.setAttribute(key, "");
    else if (value !== false && value != null) made.setAttribute(key, value);
  }
  made.append(...children.flat().filter((child) => child != null && child !== false));
  return made;
}

export function button(text, onclick, attributes = {}) {
  return element("button", { type: "button", onclick, ...attributes }, text);
}

export function time(timestamp) {
  if (!timestamp) return "";
  const date = new Date(timestamp);
  const year = date.getFullYear() === new Date().getFullYear() ? undefined : "numeric";
  const text = date.toLocaleString([], { year, month: "short", day: "numeric", hour: "numeric", minute: "2-digit" });
  return element("time", { datetime: timestamp, title: date.toLocaleString() }, text);
}
