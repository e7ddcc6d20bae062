// What becomes of element `at` of a result, counted row-major, before it is stored: here nothing. Where a product is
// fused with the elementwise operations that follow it, the planner puts their text in place of this header: a function
// of this name, the arrays it reads, and RESULT_BINDING, the binding of the result behind them.
// Include scalar.glsl before.
SCALAR epilogue(uint at, SCALAR value) { return value; }
