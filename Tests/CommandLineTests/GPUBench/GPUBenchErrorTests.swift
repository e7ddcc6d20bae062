import HeklaArrays
import HeklaDevices
import HeklaTensors
import Testing

@testable import gpubench

/// What cannot be is told in one paragraph, with what can, and ends with exit code 2.
@Suite struct GPUBenchErrorTests {
  static let mistakes: [(arguments: [String], message: String)] = [
    (
      ["run", "gelx"],
      "There is no case 'gelx'. Did you mean 'gelu'? The cases are matmul; elementwise (add, gelu, chain, copy); "
        + "reduce (sum-rows, sum-columns, sum-all, max-rows, max-columns, max-all, softmax-rows, softmax-columns); "
        + "scatter (scatter-sum, gather, segment-softmax); "
        + "convolution-2d (conv2d, conv2d-gradients, conv2d-stride2, conv2d-stride2-gradients); "
        + "depthwise-convolution (depthwise, depthwise-gradients); convolution-3d (conv3d, conv3d-gradients); "
        + "dot-product-attention (attention, attention-gradients); "
        + "layer-normalization (layer-norm, layer-norm-gradients); sort; fft; cholesky. The name of a family runs all its cases, that of a primitive its samples; "
        + "'gpubench list' has the primitives."
    ),
    (
      ["run", "gathr/rows"],
      "There is no primitive 'gathr'. Did you mean 'gather'? 'gpubench list' has them all."
    ),
    (
      ["run", "gather/row"],
      "gather has no sample 'row'. Did you mean 'rows'? Its samples are "
        + (Sample.all.first { $0.primitive == "gather" }?.samples ?? []).map(\.label).joined(separator: ", ")
        + "; 'all' runs each."
    ),
    (
      ["run", "fourier", "--type", "float32"],
      "--type belongs to cases; the samples of fourier have shapes and types of their own."
    ),
    (
      ["run", "search-sorted", "--variant", "hots"],
      "search-sorted/one-row has no variant 'hots'. Did you mean 'host'? Its variants are host, binary; "
        + "'all' runs each that the device can run."
    ),
    (
      ["run", "matmul", "--shape", "3x4"],
      "'3x4' is not a shape for matmul. "
        + "It is MxNxK, such as 2048x2048x2048: the product of an M x K and a K x N matrix."
    ),
    (
      ["run", "reduce", "--shape", "0x4"],
      "'0x4' is not a shape for reduce. It is ROWSxCOLUMNS, such as 4096x4096."
    ),
    (
      ["run", "elementwise", "--shape", "12x+3"],
      "'12x+3' is not a shape for elementwise. "
        + "It is a number of elements or extents, such as 1048576 or 1024x1024."
    ),
    (
      ["run", "depthwise", "--shape", "1x2x4x4x2"],
      "'1x2x4x4x2' is not a shape for depthwise-convolution. It is NxCxHxWxK, such as 32x128x56x56x3: "
        + "N images of C channels and H x W pixels, windows of K x K, K odd."
    ),
    (
      ["run", "matmul", "--shape", "99999999x3x99999999"],
      "The shape 99999999x3x99999999 is too large: an array of 99999999 x 99999999 elements is beyond "
        + "the 2^31 - 1 that kernels index. Use a smaller --shape."
    ),
    (
      ["run", "matmul", "--type", "float31"],
      "There is no element type 'float31'. Did you mean 'float32', 'float16' or 'float64'? The types are "
        + "float32, float16, bfloat16, float64, int32, uint32, int64, uint8, bool."
    ),
    (["run", "attention", "--type", "float64"], "attention does not take float64; it takes float32."),
    (["run", "matmul", "--type", "int32"], "matmul does not take int32; it takes float32, float64."),
    (
      ["run", "matmul", "--variant", "naiv", "--shape", "4x4x4"],
      "matmul has no variant 'naiv'. Did you mean 'naive'? "
        + "Its variants are host, packed, tiled-128, tiled-64, tiled-32, panels, registers, naive, tiled-128x64, "
        + "tiled-64x128, tiled-128-shallow, tiled-64-fine; "
        + "'all' runs each that the device can run."
    ),
    (
      ["run", "gelu", "--variant", "host", "--shape", "4"],
      "gelu has no variant 'host'. Its variants are loop; 'all' runs each that the device can run."
    ),
    (["run", "gelu", "--axis", "rows"], "--axis belongs to reduce; elementwise does not take it."),
    (
      ["run", "sum-rows", "--axis", "columns"],
      "'sum-rows' has no case that folds columns. The cases are reduce (sum-rows, sum-columns, sum-all, max-rows, "
        + "max-columns, max-all, softmax-rows, softmax-columns)."
    ),
    (
      ["run", "gelu", "--trace", "/no/such/folder/x.json"],
      "Cannot write '/no/such/folder/x.json': Its folder is not there or not yours to write to. Give a place that "
        + "exists and that you may write to."
    ),
    (
      ["step", "resnt"],
      "There is no step 'resnt'. Did you mean 'resnet'? The steps are lenet, resnet, transformer, dagnn, lstm, "
        + "tabular; 'gpubench step --help' describes them."
    ),
    (
      ["step", "dagnn", "--batch", "3"],
      "--batch belongs to steps with batches; dagnn trains on all its data at once."
    ),
    (
      ["rnu"],
      "There is no command 'rnu'. Did you mean 'run'? "
        + "The commands are devices, list, run, step, tune; 'gpubench --help' describes them."
    ),
  ]

  @Test("a mistake is answered with what is allowed", arguments: mistakes.indices)
  func mistake(index: Int) throws {
    let mistake = Self.mistakes[index]
    let isRun = mistake.arguments[0] == "run"
    let outcome = try BuiltCommand("gpubench")(mistake.arguments + (isRun ? ["--device", "cpu"] : []))
    #expect(outcome.code == 2)
    #expect(outcome.output == "")
    #expect(outcome.errors == "Error: \(mistake.message)\n")
  }

  @Test("an unknown device is answered with those that are there")
  func device() throws {
    let outcome = try BuiltCommand("gpubench")(["run", "matmul", "--device", "cpuu"])
    #expect(outcome.code == 2)
    #expect(outcome.errors.hasPrefix("Error: There is no device 'cpuu'. Devices on this machine: auto, cpu"))
    #expect(outcome.errors.hasSuffix("Did you mean 'cpu'?\n"))
  }

  @Test("numbers out of range are refused before anything runs")
  func ranges() throws {
    for (option, value, message) in [
      ("--batch", "0", "--batch is at least 1; 0 was given."),
      ("--repeat", "0", "--repeat is at least 1; 0 was given."),
      ("--seconds", "nan", "--seconds is between 0 and 86400; nan was given."),
      ("--steps", "0", "--steps is at least 1; 0 was given."),
    ] {
      let command = option == "--steps" ? ["step", "lenet"] : ["run", "matmul"]
      let outcome = try BuiltCommand("gpubench")(command + [option, value])
      #expect(outcome.code == 2)
      #expect(outcome.errors.hasPrefix("Error: \(message)\n"))
    }
  }

  @Test("a device's own limits name it")
  func limits() throws {
    var device = Capabilities(interface: .vulkan, kind: .software, deviceName: "Paper", driver: "none")
    device.maxBindingByteCount = 1000
    #expect(
      throws: BenchmarkError.shapeTooLarge(
        "300", array: "an array float32[300] of 1200 bytes",
        limit: "the 1000 bytes that a kernel sees at once on Paper")
    ) { try CaseRequest(name: "add", shape: "300").cases(on: device) }
    #expect(throws: BenchmarkError.typeNotOnDevice(.float64, device: "Paper", allowed: [.float32])) {
      try CaseRequest(name: "sum-rows", shape: "3x3", elementType: .float64).cases(on: device)
    }
  }
}
