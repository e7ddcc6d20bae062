// The exclusive sum over a workgroup, of one value per invocation; every invocation calls it. Include after
// the local size is declared. Source: Hillis and Steele, "Data parallel algorithms", 1986.

shared uint scan_sums[gl_WorkGroupSize.x];

// The sum of `value` over the invocations before this one; `total` over all.
uint exclusive_scan(uint value, out uint total) {
  uint local = gl_LocalInvocationID.x;
  barrier();
  scan_sums[local] = value;
  barrier();
  for (uint reach = 1; reach < gl_WorkGroupSize.x; reach *= 2) {
    uint before = local >= reach ? scan_sums[local - reach] : 0;
    barrier();
    scan_sums[local] += before;
    barrier();
  }
  total = scan_sums[gl_WorkGroupSize.x - 1];
  return scan_sums[local] - value;
}
