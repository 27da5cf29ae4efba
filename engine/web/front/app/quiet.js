/** `call` once the last of several quick calls is `wait` milliseconds old. */
export function quiet(call, wait) {
  let timer;
  return (...given) => { clearTimeout(timer); timer = setTimeout(() => call(...given), wait); };
}
