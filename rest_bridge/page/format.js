// Numbers as people read them. The service sends 64-bit numbers as text.

export const count = (number) => Number(number || 0).toLocaleString();

export const percent = (share, digits = 1) => `${(100 * share).toFixed(digits)} %`;

// An accuracy, and of how many images, since 100 % of four say little; a dash if it was not measured.
export const measured = (share, images) => (Number(images) ? `${percent(share, 2)} of ${count(images)}` : "–");

export function bytes(number) {
  const size = Number(number || 0);
  return size < 1e6 ? `${Math.round(size / 1e3)} KB` : `${(size / 1e6).toFixed(1)} MB`;
}

// "12.5s", as protobuf's JSON has durations.
export function duration(text) {
  const seconds = Math.round(parseFloat(text));
  return seconds < 60 ? `${seconds} s` : `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
}

// Without tokens an address is a caller: "ipv4:127.0.0.1".
export const who = (caller) => caller.replace(/^ipv[46]:/, "");

// FAILED_PRECONDITION as "failed precondition".
export const words = (name) => name.toLowerCase().replaceAll("_", " ");
