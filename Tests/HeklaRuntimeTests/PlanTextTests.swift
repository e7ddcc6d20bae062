import HeklaArrays
import HeklaDevices
import HeklaTensors
import Testing

@testable import HeklaRuntime

/// The table that `print(plan)` shows, letter by letter.
@Suite struct PlanTextTests {
  @Test func `a chain is one line`() throws {
    let plan = try Compiler.plan([.input(0, Signature([1000])) * 2 + 1], inputs: [Signature([1000])])
    #expect("\(plan)" == "")
  }

  @Test func `softmax shows where its values lie`() throws {
    let plan = try Compiler.plan([Tensor.input(0, Signature([32, 64])).softmax()], inputs: [Signature([32, 64])])
    #expect("\(plan)" == "")
  }

  @Test func `a training step updates in place`() throws {
    let w = Parameter(.ones([8, 4]))
    let x = Tensor.input(0, Signature([16, 8]))
    let loss = x.matrixProduct(w.tensor).squared().mean()
    let slope = gradients(of: loss, withRespectTo: [w.tensor])[0]
    let plan = try Compiler.plan(
      [loss], assigning: [w.assigning(w.tensor - slope * 0.1)], inputs: [Signature([16, 8])])
    #expect("\(plan)" == "")
  }

  @Test func `a swap without merged loops needs a copy, which is shown`() throws {
    let (p, q) = (Parameter(.zeros([4])), Parameter(.ones([4])))
    var options = CompilerOptions()
    options.mergesLoops = false
    let plan = try Compiler.plan(assigning: [p.assigning(q.tensor), q.assigning(p.tensor)], options: options)
    #expect("\(plan)" == "")
  }
}
