/// Short-lived memory for the nested structures that Vulkan calls take.
///
/// Pointers stay valid until the closure of `withScratch` returns.
struct Scratch: ~Copyable {
  private var allocations: [UnsafeMutableRawPointer] = []

  fileprivate init() {}

  deinit {
    for allocation in allocations { allocation.deallocate() }
  }

  /// A copy of `value`, which holds no references.
  mutating func copy<Value: BitwiseCopyable>(_ value: Value) -> UnsafeMutablePointer<Value> {
    let pointer = UnsafeMutablePointer<Value>.allocate(capacity: 1)
    pointer.initialize(to: value)
    allocations.append(UnsafeMutableRawPointer(pointer))
    return pointer
  }

  /// A copy of `values`, which hold no references.
  mutating func copy<Value: BitwiseCopyable>(_ values: [Value]) -> UnsafeMutablePointer<Value> {
    let pointer = UnsafeMutablePointer<Value>.allocate(capacity: max(values.count, 1))
    pointer.initialize(from: values, count: values.count)
    allocations.append(UnsafeMutableRawPointer(pointer))
    return pointer
  }

  /// The bytes of `text` and a zero.
  mutating func copy(_ text: String) -> UnsafePointer<CChar> {
    UnsafePointer(copy(Array(text.utf8CString)))
  }

  /// C strings in an array, as lists of layer and extension names are passed.
  mutating func copy(strings: [String]) -> UnsafePointer<UnsafePointer<CChar>?> {
    var pointers: [UnsafePointer<CChar>?] = []
    for string in strings { pointers.append(copy(string)) }
    return UnsafePointer(copy(pointers))
  }
}

/// Runs `body` with memory that is freed when it returns.
func withScratch<Result: ~Copyable, Failure: Error>(
  _ body: (inout Scratch) throws(Failure) -> Result
) throws(Failure) -> Result {
  var scratch = Scratch()
  return try body(&scratch)
}

/// The text in a fixed-size character array of a C structure.
func text<Characters>(of characters: Characters) -> String {
  withUnsafeBytes(of: characters) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
}
