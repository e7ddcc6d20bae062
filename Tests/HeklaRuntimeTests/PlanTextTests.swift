import HeklaArrays
import HeklaDevices
import HeklaTensors
import Testing

@testable import HeklaRuntime

/// The table that `print(plan)` shows, letter by letter.
@Suite struct PlanTextTests {
  @Test func `a chain is one line`() throws {
    let plan = try Compiler.plan([.input(0, Signature([1000])) * 2 + 1], inputs: [Signature([1000])])
    let text = """
      step  kernel  variant  groups  reads  writes
      0     map     loop     8x1x1   v0@i0  v1@a0+0
      1 steps, 4096 bytes in 1 arena, 0 parameters
      """
    #expect("\(plan)" == text)
  }

  @Test func `softmax shows where its values lie`() throws {
    let plan = try Compiler.plan(
      [Tensor.input(0, Signature([32, 64])).softmax()], inputs: [Signature([32, 64])])
    let text = """
      step  kernel   variant  groups  reads                writes
      0     maximum  loop     32x1x1  v0@i0                v1@a0+8192
      1     map      loop     16x1x1  v0@i0 v1@a0+8192     v2@a0+0
      2     sum      loop     32x1x1  v2@a0+0              v3@a0+16384
      3     map      loop     16x1x1  v2@a0+0 v3@a0+16384  v4@a0+8192
      4 steps, 16640 bytes in 1 arena, 0 parameters
      """
    #expect("\(plan)" == text)
  }

  @Test func `a training step updates in place`() throws {
    let w = Parameter(.ones([8, 4]))
    let x = Tensor.input(0, Signature([16, 8]))
    let loss = x.matrixProduct(w.tensor).squared().mean()
    let slope = gradients(of: loss, withRespectTo: [w.tensor])[0]
    let plan = try Compiler.plan(
      [loss], assigning: [w.assigning(w.tensor - slope * 0.1)], inputs: [Signature([16, 8])])
    let text = """
      step  kernel                variant   groups  reads                  writes
      0     matrix-product        tiled-32  1x1x1   v0@i0 v1@p0            v2@a0+0
      1     sum                   loop      1x1x1   v2@a0+0                v3@a0+512
      2     map                   loop      1x1x1   v2@a0+0                v4@a0+256
      3     matrix-product + map  tiled-32  1x1x1   v0@i0 v4@a0+256 v1@p0  v5@p0
      4 steps, 768 bytes in 1 arena, 1 parameters
      """
    #expect("\(plan)" == text)
  }

  @Test func `a swap without merged loops needs a copy, which is shown`() throws {
    let (p, q) = (Parameter(.zeros([4])), Parameter(.ones([4])))
    var options = CompilerOptions()
    options.mergesLoops = false
    let plan = try Compiler.plan(assigning: [p.assigning(q.tensor), q.assigning(p.tensor)], options: options)
    let text = """
      step  kernel  variant  groups  reads  writes
      0     map     loop     1x1x1   v0@p0  v1@a0+0
      1     map     loop     1x1x1   v2@p1  v3@p0
      copy v1@a0+0 to p1
      2 steps, 256 bytes in 1 arena, 2 parameters
      """
    #expect("\(plan)" == text)
  }
}
