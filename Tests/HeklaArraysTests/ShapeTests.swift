import Foundation
import HeklaArrays
import Testing

@Suite struct ShapeTests {
  @Test func `the count is the product of the extents, 1 for a scalar`() {
    #expect(Shape([]).count == 1)
    #expect(Shape([2, 3, 4]).count == 24)
    #expect(Shape([2, 0, 4]).count == 0)
    #expect(Shape([2, 3]).rank == 2)
  }

  @Test func `strides step over the inner extents`() {
    #expect(Shape([]).strides == [])
    #expect(Shape([5]).strides == [1])
    #expect(Shape([2, 3, 4]).strides == [12, 4, 1])
    #expect(Shape([2, 0, 4]).strides == [0, 4, 1])
  }

  @Test func `coordinates undo strides at every index`() {
    for shape in [Shape([]), [7], [2, 3], [3, 1, 4], [2, 3, 4, 5]] {
      for index in 0..<shape.count {
        let coordinates = shape.coordinates(ofIndex: index)
        #expect(zip(coordinates, shape.extents).allSatisfy { (0..<$1).contains($0) })
        #expect(zip(coordinates, shape.strides).reduce(0) { $0 + $1.0 * $1.1 } == index)
      }
    }
  }

  @Test func `negative axes count from the innermost`() {
    let shape: Shape = [2, 3, 4]
    #expect(shape[-1] == 4 && shape[-3] == 2 && shape[1] == 3)
    #expect((-3..<3).map(shape.normalized(axis:)) == [0, 1, 2, 0, 1, 2])
  }

  @Test func `an axis out of range stops the program with the shape in the message`() async {
    let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      _ = Shape([2, 3]).normalized(axis: 2)
    }
    let text = String(decoding: result?.standardErrorContent ?? [], as: UTF8.self)
    #expect(text.contains("axis 2 is out of range for shape [2, 3]"))
  }

  @Test func `shapes broadcast from the innermost axis, as in NumPy`() {
    let cases: [(Shape, Shape, Shape?)] = [
      ([], [], []), ([], [3], [3]), ([3], [2, 3], [2, 3]), ([2, 1], [1, 3], [2, 3]),
      ([4, 1, 5], [3, 1], [4, 3, 5]), ([2], [3], nil), ([2, 3], [2, 1, 4], nil),
      ([1], [0], [0]), ([0], [3], nil), ([2, 1], [0], [2, 0]),
    ]
    for (left, right, expected) in cases {
      #expect(left.broadcast(with: right) == expected)
      #expect(right.broadcast(with: left) == expected)
    }
  }

  @Test func `reduced axes disappear or stay with extent 1`() {
    let shape: Shape = [2, 3, 4]
    #expect(shape.reduced(along: [1], keepingAxes: false) == [2, 4])
    #expect(shape.reduced(along: [0, 2], keepingAxes: true) == [1, 3, 1])
    #expect(shape.reduced(along: [], keepingAxes: false) == shape)
  }

  @Test func `a shape is an array of numbers in JSON, and a negative extent is refused`() throws {
    let data = try JSONEncoder().encode(Shape([2, 3]))
    #expect(String(decoding: data, as: UTF8.self) == "[2,3]")
    #expect(try JSONDecoder().decode(Shape.self, from: data) == [2, 3])
    #expect(throws: DecodingError.self) {
      try JSONDecoder().decode(Shape.self, from: Foundation.Data("[2,-3]".utf8))
    }
    #expect("\(Shape([2, 3]))" == "[2, 3]")
  }
}
