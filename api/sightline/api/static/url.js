// The address after # says what is shown:
// #/  #/type/ID  #/entity/ID  #/connect/SOURCE/TARGET/HOPS

export const hashOf = (...parts) => "#/" + parts.map(encodeURIComponent).join("/");

/** The parts of the address that is shown: the name of a view, and what it is about. */
export function here() {
  try {
    return location.hash.split("/").slice(1).map(decodeURIComponent).filter((part) => part !== "");
  } catch {
    return [];
  }
}
