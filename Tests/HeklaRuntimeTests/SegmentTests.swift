import HeklaArrays
import HeklaDevices
import HeklaTensors
import RuntimeTestSupport
import Testing

@testable import HeklaRuntime

@Suite struct SegmentTests {
  static let indices: [Int32] = [3, 0, 3, 5, 0, 3]

  @Test(arguments: TestDevice.present)
  func `segments of known and of computed indices are folded alike, and empty ones are as documented`(
    device: TestDevice
  ) throws {
    try device.run { executor in
      let x = Tensor([1, 2, 3, 4, 5, 6] as [Float])
      let known = try Segments(Self.indices, count: 6)
      for segments in [known, Segments(at: Tensor(Self.indices), count: 6)] {
        let got = try executor.values(of: [
          x.segmentSum(segments), x.segmentMean(segments), x.segmentMaximum(segments),
          x.segmentMinimum(segments, empty: -1), x.gathered(at: segments),
        ])
        #expect(got[0].doubles() == [7, 0, 0, 10, 0, 4])
        #expect(got[1].elements(as: Float.self) == [3.5, 0, 0, Float(10) / 3, 0, 4])
        #expect(got[2].doubles() == [5, -.infinity, -.infinity, 6, -.infinity, 4])
        #expect(got[3].doubles() == [2, -1, -1, 1, -1, 4])
        #expect(got[4].doubles() == [4, 1, 4, 6, 1, 4])
      }
    }
  }

  @Test func `known indices are sorted when the graph is built, not in the step`() throws {
    let executor = try TestDevice.cpu.executor()
    let x = Parameter(Tensor.zeros([6, 2])).tensor
    let segments = try Segments(Self.indices, count: 6)
    let loss = x.gathered(at: segments).squared().segmentSoftmax(segments).sum()
    let step = try executor.compile(StepDescription(outputs: gradients(of: loss, withRespectTo: [x])))
    #expect(!step.plan.steps.contains { ["segment-order", "scatter-sum"].contains($0.label) })
  }

  @Test func `a maximum's gradient is shared equally by the terms that attain it`() throws {
    let x = Tensor([2, 1, 2, 4, 1, 0] as [Float])
    let segments = try Segments(Self.indices, count: 6)
    let gradient = gradients(of: x.segmentMaximum(segments, empty: 0).sum(), withRespectTo: [x])[0]
    #expect(referenceValues(of: [gradient])[0].doubles() == [0.5, 0.5, 0.5, 1, 0.5, 0])
  }

  @Test(arguments: TestDevice.present)
  func `of repeated indices the last value is kept`(device: TestDevice) throws {
    try device.run { executor in
      let x = Tensor.zeros([5, 2])
      let values = Tensor([1, 1, 2, 2, 3, 3] as [Float], shape: [3, 2])
      let got = try executor.values(of: [x.replacing(at: Tensor([Int32(4), 1, 4]), by: values)])[0]
      #expect(got.doubles() == [0, 0, 2, 2, 0, 0, 0, 0, 3, 3])
    }
  }

  @Test(arguments: TestDevice.present)
  func `elements are counted, and put in bins`(device: TestDevice) throws {
    try device.run { executor in
      let got = try executor.values(of: [
        .counts(of: Tensor(Self.indices), below: 7),
        Tensor([0, 0.25, 0.5, 1, -1, 2, .nan, 0.3] as [Float]).histogram(binCount: 4, in: 0...1),
      ])
      #expect(got[0].elements(as: Int32.self) == [2, 0, 0, 3, 0, 1, 0])
      #expect(got[1].elements(as: Int32.self) == [1, 2, 1, 1])
    }
  }

  @Test(arguments: TestDevice.present)
  func `elements are taken along any axis and put back by the gradient`(device: TestDevice) throws {
    try device.run { executor in
      let x = Tensor((0..<24).map(Float.init), shape: [2, 3, 4])
      let along = Tensor([Int32(2), 0, 1, 1, 0, 2, 2, 2], shape: [2, 1, 4])
      let taken = x.takenAlong(1, along)
      let outputs = [
        taken, gradients(of: taken.squared().sum(), withRespectTo: [x])[0],
        x.gathered(at: Tensor([Int32(3), 0]), along: 2),
        x.gathered(at: Tensor([Int32(2), 0, 1, 1], shape: [2, 2]), batchAxes: 1),
      ]
      let got = try executor.values(of: outputs)
      #expect(got[0].doubles() == [8, 1, 6, 7, 12, 21, 22, 23])
      var wanted = [Double](repeating: 0, count: 24)
      for place in [8, 1, 6, 7, 12, 21, 22, 23] { wanted[place] = Double(2 * place) }
      #expect(got[1].doubles() == wanted)
      #expect(got[2].shape == [2, 3, 2] && got[2].doubles().prefix(4) == [3, 0, 7, 4])
      #expect(got[3].shape == [2, 2, 4] && got[3].doubles().prefix(8) == [8, 9, 10, 11, 0, 1, 2, 3])
      #expect(got[3].doubles().suffix(8) == [16, 17, 18, 19, 16, 17, 18, 19])
    }
  }

  @Test(arguments: [Int32(-1), 6, .max])
  func `the host names an index that is out of range, wherever it comes from`(index: Int32) throws {
    let executor = try TestDevice.cpu.executor()
    let indices = Self.indices + [index]
    #expect(throws: DeviceError.indexOutOfRange(operation: "segments", index: Int(index), bound: 6)) {
      try Segments(indices, count: 6)
    }
    #expect(throws: DeviceError.indexOutOfRange(operation: "segment-order", index: Int(index), bound: 6)) {
      try executor.values(of: [Tensor.ones([7]).segmentSum(Segments(at: Tensor(indices), count: 6))])
    }
    #expect(throws: DeviceError.self) {
      try executor.values(of: [Tensor.ones([2, 6]).takenAlong(1, Tensor([index, 0], shape: [2, 1]))])
    }
  }

  @Test(arguments: TestDevice.shading)
  func `other devices leave out terms whose index is out of range`(device: TestDevice) throws {
    try device.run { executor in
      let indices = Tensor([Int32(-1), 2, 6, .max, 0])
      let got = try executor.values(of: [
        Tensor.ones([5]).segmentSum(Segments(at: indices, count: 3)),
        Tensor([1, 2, 3] as [Float]).takenAlong(0, indices),
      ])
      #expect(got[0].doubles() == [1, 0, 1])
      #expect(got[1].doubles() == [0, 3, 0, 0, 1])
    }
  }

  @Test func `offsets that fall are refused, and rising ones are segments in their order`() throws {
    #expect(throws: DeviceError.self) { try Segments(offsets: [0, 3, 2]) }
    let segments = try Segments(offsets: [0, 2, 2, 3])
    let sums = Tensor([1, 2, 3] as [Float]).segmentSum(segments)
    #expect(referenceValues(of: [sums])[0].doubles() == [3, 0, 3])
  }
}
