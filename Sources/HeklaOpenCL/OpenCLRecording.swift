import COpenCL
import HeklaDevices

/// Commands made ready for OpenCL: kernel objects with their arguments set, and copies and fills spelled out.
///
/// Arguments are state of a kernel object, so each dispatch has an object of its own; what is left for a
/// submission is one call per command. Barriers leave nothing behind: queues run in order.
///
/// `cl_khr_command_buffer` would make that one call for all; where it was measured (PoCL 3.1), replaying
/// through it took 0.2 to 3 microseconds more per dispatch than the calls do, so it is not used.
public final class OpenCLRecording: Recording {
  let context: OpenCLContext
  /// The commands, in order.
  private let steps: [Step]
  /// For each dispatch, its invocations along x, y and z, then those of one workgroup.
  private let sizes: [Int]
  /// For each command, what messages say of it.
  let notes: [Note]
  /// What the handles in `steps` belong to: kernel objects, buffers and slices of them.
  private let objects: [any AnyObject & Sendable]

  /// The number of dispatches, copies and fills.
  public var commandCount: Int { steps.count }

  /// What is enqueued for one command; plain values, so that replaying counts no references.
  ///
  /// `@unchecked Sendable`: the handles are of objects that any thread may use and that the recording keeps.
  enum Step: @unchecked Sendable {
    /// A dispatch of a kernel object whose sizes start at index `sizes`.
    case dispatch(cl_kernel, sizes: Int)
    /// A copy of bytes.
    case copy(from: cl_mem, offset: Int, to: cl_mem, targetOffset: Int, byteCount: Int)
    /// A fill with a word.
    case fill(cl_mem, offset: Int, byteCount: Int, word: UInt32)
  }

  /// What a profile or an error says of a command.
  struct Note: Sendable {
    /// The dispatch's label, `copy` or `fill`.
    var label: String
    /// The bytes of the slices it touches.
    var byteCount: Int
  }

  /// Checks and prepares `commands`.
  init(_ commands: [Command], in context: OpenCLContext) throws(DeviceError) {
    var builder = OpenCLRecordingBuilder(context)
    for command in commands { try builder.append(command) }
    self.context = context
    steps = builder.steps
    sizes = builder.sizes
    notes = builder.notes
    objects = builder.objects
  }

  /// Enqueues the command at `index`: all that a replay does for it.
  func enqueue(
    _ index: Int, on queue: cl_command_queue, event: UnsafeMutablePointer<cl_event?>? = nil
  ) throws(DeviceError) {
    let api = context.api
    switch steps[index] {
    case .dispatch(let kernel, let first):
      let status = sizes.withUnsafeBufferPointer { sizes in
        let global = sizes.baseAddress.map { $0 + first }
        return api.clEnqueueNDRangeKernel(queue, kernel, 3, nil, global, global.map { $0 + 3 }, 0, nil, event)
      }
      try check(status, "clEnqueueNDRangeKernel", at: index)
    case .copy(let source, let offset, let target, let targetOffset, let byteCount):
      let status = api.clEnqueueCopyBuffer(
        queue, source, target, offset, targetOffset, byteCount, 0, nil, event)
      try check(status, "clEnqueueCopyBuffer", at: index)
    case .fill(let target, let offset, let byteCount, let word):
      let status = withUnsafePointer(to: word) {
        api.clEnqueueFillBuffer(
          queue, target, $0, MemoryLayout<UInt32>.size, offset, byteCount, 0, nil, event)
      }
      try check(status, "clEnqueueFillBuffer", at: index)
    }
  }

  private func check(_ status: cl_int, _ call: StaticString, at index: Int) throws(DeviceError) {
    // Drivers that make memory when it is first used run out of it here.
    try context.check(status, call, for: notes[index].label, byteCount: notes[index].byteCount)
  }
}
