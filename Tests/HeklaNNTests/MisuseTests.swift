import HeklaArrays
import HeklaNN
import HeklaTensors
import Testing

/// What a program that builds a wrong graph is told; each case stops a process of its own.
@Suite struct MisuseTests {
  func expectStop(_ result: ExitTest.Result?, saying text: String) {
    let said = String(decoding: result?.standardErrorContent ?? [], as: UTF8.self)
    #expect(said.contains(text), "\(said)")
  }

  @Test func `A layer names the extents that do not fit`() async {
    let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      _ = Linear(inputs: 3, outputs: 2, key: RandomKey(seed: 1))(.zeros([5, 4]))
    }
    expectStop(result, saying: "linear: the input is [5, 4]; it must be [..., 3] with rank 2 or more")
  }

  @Test func `A loss names the labels that do not fit`() async {
    let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      _ = crossEntropy(logits: .zeros([5, 4]), labels: .zeros([5], .float32))
    }
    expectStop(result, saying: "not float32[5]")
  }

  @Test func `An optimizer refuses what it was not made for`() async {
    let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      let (known, unknown) = (Parameter(.zeros([2])), Parameter(.zeros([3])))
      _ = Adam(for: [known], learningRate: 0.1).assignments(for: [unknown], gradients: [.zeros([3])])
    }
    expectStop(result, saying: "a parameter of float32[3] is not among those it was made for")
  }

  @Test func `An optimizer refuses a mask that applies to nothing`() async {
    let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      let (one, other) = (Parameter(.zeros([2])), Parameter(.zeros([2])))
      _ = SGD(for: [one, other], learningRate: 0.1)
        .assignments(for: [one], gradients: [.zeros([2])], masks: [other: .zeros([2])])
    }
    expectStop(result, saying: "a mask is for a parameter that is not updated")
  }
}
