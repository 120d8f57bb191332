/** FNV-1a, 32 bits: tells texts apart where a mistake does no harm. */
export function hashText(text: string): number {
  let value = 0x811c9dc5;
  for (let place = 0; place < text.length; place++) {
    value = Math.imul(value ^ text.charCodeAt(place), 0x01000193);
  }
  return value >>> 0;
}
