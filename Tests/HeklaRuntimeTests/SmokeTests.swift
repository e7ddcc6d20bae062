import HeklaArrays
import HeklaDevices
import HeklaRuntime
import HeklaTensors
import Testing

@Test(arguments: ["cpu", "opencl:0", "vulkan:0"])
func smoke(name: String) throws {
  let executor = try PlanExecutor(DeviceCatalog.shared.device(named: name))
  let x = Tensor((0..<12).map { Float($0) / 10 }, shape: [3, 4])
  let y = x.softmax(along: -1)
  let z = (x.transposed().reshaped(to: [2, 6]) * 2 + 1).sum(along: 1)
  let p = x.padded(before: [1, 1], after: [0, 2], with: 3).flipped(along: [1])
  let c = Tensor.concatenating([x.exp(), y], along: 1)
  let g = gradients(of: (x.tanh() * x.softmax(along: 0)).sum(), withRespectTo: [x])[0]
  let u = Tensor.uniform([5], key: RandomKey(seed: 7))
  let n = Tensor.normal([1000], key: RandomKey(seed: 7)).squared().mean()
  let a = (x * -1).argumentMaximum(along: 1)
  let w = Tensor.normal([4, 7], key: RandomKey(seed: 3))
  let mm = x.matrixProduct(w)
  let gw = gradients(of: mm.relu().squared().sum(), withRespectTo: [w, x])
  let ga = x.gathered(at: Tensor([Int32(2), 0, 2, 1]))
  let sc = Tensor.scatterSum(ga, at: Tensor([Int32(1), 1, 0, 3]), rows: 5)
  let all = [mm, gw[0], gw[1], ga, sc, y, z, p, c, g, u, n, a, x.mean(), x.sliced(starts: [0, 1], extents: [2, 2], steps: [2, 2]), x.maximum()]
  let step = try executor.compile(StepDescription(outputs: all))
  print(step.plan)
  let got = try step.run()
  for (g, r) in zip(got, referenceValues(of: all)) {
    let e = zip(g.doubles(), r.doubles()).map { abs($0 - $1) }.max() ?? 0
    print(g.shape, e)
    #expect(e < 1e-5)
  }
  #expect(try step.run() == got)
}
