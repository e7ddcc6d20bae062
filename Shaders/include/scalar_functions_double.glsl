// What generated kernels do in double precision.

double hekla_maximum(double a, double b) { return a > b || a != a ? a : b; }
double hekla_minimum(double a, double b) { return a < b || a != a ? a : b; }
double hekla_sign(double x) { return x != x ? x : sign(x); }
