import HeklaArrays
import HeklaNN
import HeklaTensors
import Testing

@Suite struct ModuleTests {
  struct Block: Module {
    let weight = Parameter(.zeros([2, 3]))
    let mask = State(.ones([2, 3]))
  }

  class Trunk: Module, @unchecked Sendable {
    let root = Parameter(.zeros([5]))
  }

  final class Tree: Trunk, @unchecked Sendable {
    let leaf = Parameter(.zeros([7]))
    var itself: Tree?
  }

  enum Head: Module {
    case none
    case linear(Linear)
  }

  struct Model: Module {
    let blocks = [Block(), Block()]
    let absent: Linear?
    let present: Linear? = Linear(inputs: 3, outputs: 1, key: RandomKey(seed: 1))
    let named = ["beta": Parameter(.zeros([1])), "alpha": Parameter(.zeros([2]))]
    let pair = (Parameter(.zeros([1])), Parameter(.zeros([1])))
    let head = Head.linear(Linear(inputs: 1, outputs: 1, bias: false, key: RandomKey(seed: 2)))
    let tree: Tree
    let tied: Parameter
    let rate = 0.5
    let table = Tensor.zeros([4])

    init() {
      absent = nil
      tree = Tree()
      tree.itself = tree
      tied = tree.leaf
    }
  }

  @Test func `Parameters are found by path, in the order of declaration, each once`() {
    let paths = Model().parameters().map(\.path)
    #expect(
      paths == [
        "blocks.0.weight", "blocks.0.mask", "blocks.1.weight", "blocks.1.mask", "present.weight",
        "present.bias",
        "named.alpha", "named.beta", "pair.0", "pair.1", "head.linear.weight", "tree.root", "tree.leaf",
      ])
  }

  @Test func `What is a state is listed but not trained`() {
    let model = Model()
    let masks = model.blocks.map(\.mask.parameter)
    #expect(model.parameters().filter { masks.contains($0.parameter) }.count == 2)
    #expect(model.trainableParameters.count == model.parameters().count - 2)
    #expect(model.trainableParameters.allSatisfy { !masks.contains($0) })
    // 2 blocks of 6, 3 + 1, 1 + 2, 1 + 1, 1, 5 and 7.
    #expect(model.parameterCount == 34)
  }

  @Test func `Copies share their parameters, new models do not`() {
    let model = Block()
    let copy = model
    #expect(copy.weight === model.weight)
    #expect(Block().weight !== model.weight)
  }

  @Test func `The summary lines up paths, shapes and counts`() {
    struct Net: Module {
      let hidden = Linear(inputs: 10, outputs: 20, key: RandomKey(seed: 1))
      let seen = State(.zeros([], .int32))
    }
    #expect(
      Net().summary == """
        hidden.weight  float32[10, 20]  200
        hidden.bias    float32[20]       20
        seen           int32[]            1  not trained
        total                           220
        """)
  }
}
