/// A dense matrix in memory, perhaps stored as its transpose.
struct StoredMatrix {
  let elements: UnsafeRawPointer
  let isTransposed: Bool
  /// Elements from one stored row to the next.
  let step: Int
  let elementSize: Int

  init(_ elements: UnsafeRawPointer, rows: Int, columns: Int, isTransposed: Bool, elementSize: Int) {
    self.init(
      elements, step: isTransposed ? rows : columns, isTransposed: isTransposed, elementSize: elementSize)
  }

  private init(_ elements: UnsafeRawPointer, step: Int, isTransposed: Bool, elementSize: Int) {
    self.elements = elements
    self.isTransposed = isTransposed
    self.step = step
    self.elementSize = elementSize
  }

  var transposed: StoredMatrix {
    StoredMatrix(elements, step: step, isTransposed: !isTransposed, elementSize: elementSize)
  }

  func address(row: Int, column: Int) -> UnsafeRawPointer {
    elements + (isTransposed ? column * step + row : row * step + column) * elementSize
  }
}
