// What a host does by itself: the estimate follows the field.
"use strict";
document.getElementById("cpu").addEventListener("input", (event) => {
  document.getElementById("price").setAttribute("cpu-ms", event.target.value);
});
