import COpenCL
import HeklaDevices

/// Commands made ready for OpenCL: kernel objects with their arguments set, and copies and fills spelled out.
///
/// Arguments are state of a kernel object, so each dispatch has an object of its own; what is left for a
/// submission is one call per command. Barriers leave nothing behind: queues run in order.
public final class OpenCLRecording: Recording {
  let context: OpenCLContext
  /// The commands, in order.
  let steps: [Step]
  /// For each dispatch, its invocations along x, y and z, then those of one workgroup.
  let sizes: [Int]
  /// What messages and profiles call the commands.
  let labels: [String]
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

  /// Checks and prepares `commands`.
  init(_ commands: [Command], in context: OpenCLContext) throws(DeviceError) {
    var builder = OpenCLRecordingBuilder(context)
    for command in commands { try builder.append(command) }
    self.context = context
    steps = builder.steps
    sizes = builder.sizes
    labels = builder.labels
    objects = builder.objects
  }
}
