import ArgumentParser
import Testing

@testable import gpubench

/// The help texts are an interface: a change shows here as a difference.
@Suite struct GPUBenchHelpTests {
  private func help(of command: any ParsableCommand.Type) -> String {
    let text = GPUBenchCommand.helpMessage(for: command, includeHidden: false, columns: 80)
    return text.hasSuffix("\n") ? String(text.dropLast()) : text
  }

  @Test("gpubench --help names the commands, with examples and exit codes")
  func root() {
    #expect(
      help(of: GPUBenchCommand.self) == """
        OVERVIEW: Measures the kernels and training steps of a device, and checks what
        they compute.

        EXAMPLES:
          gpubench devices
          gpubench list
          gpubench run matmul --device vulkan:0 --shape 2048x2048x2048 --variant all
          gpubench run reduce --device cpu --json
          gpubench step transformer --device cpu
          gpubench tune matmul --device vulkan:0 --shape 2048x2048x2048

        EXIT CODES:
          0  done, and every result was right
          1  a result was wrong, or the work failed while it ran
          2  bad input: a case, step, device, shape, type, variant or option

        USAGE: gpubench <subcommand> [<options>]

        OPTIONS:
          --version               Show the version.
          -h, --help              Show help information.

        SUBCOMMANDS:
          devices                 Lists the devices of this machine, and says what is
                                  missing for others.
          list                    Lists the primitives with their kernel variants and
                                  samples.
          run                     Checks and times cases on a device.
          step                    Trains a network on a device, checks that it learns,
                                  and times a step.
          tune                    Finds the fastest kernel variants of a device, among
                                  those that are right.

          See 'gpubench help <subcommand>' for detailed help.
        """)
  }

  @Test("gpubench list --help says what a sample and a variant are")
  func list() {
    #expect(
      help(of: ListCommand.self) == """
        OVERVIEW: Lists the primitives with their kernel variants and samples.

        The first table says how many of a primitive's samples each variant runs on
        each device; 'loop' stands for a kernel that is generated and fused with its
        neighbours. The second has the samples: what the tests hold every variant to on
        every device, and what 'gpubench run PRIMITIVE/SAMPLE' measures. 'gpubench run
        --help' lists cases of any shape.

        USAGE: gpubench list [--json]

        OPTIONS:
          --json                  Print a JSON array instead: one object per primitive,
                                  with the variants by sample and device.
          --version               Show the version.
          -h, --help              Show help information.
        """)
  }

  @Test("gpubench run --help says how shapes are read, and how time and error are measured")
  func run() {
    #expect(
      help(of: RunCommand.self) == """
        OVERVIEW: Checks and times cases on a device.

        CASES AND SHAPES:
          matmul  MxNxK
              an M x K times a K x N matrix
          elementwise  N or AxBx...
              add, gelu, chain (of 8 operations), copy
          reduce  ROWSxCOLUMNS
              sum, max, softmax; of rows, columns, all
          scatter  EDGESxCOLUMNSxROWS
              scatter-sum and gather of EDGES rows of COLUMNS elements, at indices
              below ROWS; segment-softmax over the edges of one index
          convolution-2d  NxCxHxWxFxK
              conv2d and conv2d-stride2 of N images of C channels to F features by
              windows of K x K, padded by K / 2; with -gradients, those of images
              and weights from one of the result, without the result itself
          depthwise-convolution  NxCxHxWxK
              depthwise and depthwise-gradients: each channel on its own
          convolution-3d  NxCxDxHxWxFxK
              conv3d and conv3d-gradients: the same of volumes
          dot-product-attention  BxHxTxD
              attention: softmax(q k^T / sqrt D) v of H heads, without a mask;
              attention-gradients, those of q, k and v from one of the result, with
              the forward pass that they need
          layer-normalization  ROWSxCOLUMNS
              layer-norm of each row, with a factor and a term for each column;
              layer-norm-gradients, those of all three from one of the result
          sort  ROWSxCOLUMNS
              each row ascending, values only
          fft  BATCHxN
              the discrete Fourier transform of each row of N complex numbers
          cholesky  BATCHxN
              the triangular factor of BATCH positive definite N x N matrices
        Any single case can be named too, such as gelu or conv2d. Without --shape, it
        is one that suits the device.

        SAMPLES OF PRIMITIVES:
          fourier      every sample of the primitive that the device can run
          gather/all   the same, where a case has the primitive's name
          gather/rows  one sample
        'gpubench list' has the primitives, their samples and variants. Samples have
        shapes and types of their own, and are timed whole: with what prepares the
        primitive's inputs.

        EXAMPLES:
          gpubench run matmul --device vulkan:0 --variant all
          gpubench run matmul --shape 512x512x64 --batch 16 --transpose right
          gpubench run softmax-rows --device cpu --shape 4096x1024 --json
          gpubench run conv2d-gradients --device vulkan:0 --shape 32x64x56x56x64x3
          gpubench run cholesky --device opencl:0 --variant all
          gpubench run matrix-product/bias-gelu --device vulkan:0 --apart
          gpubench run sort --device cpu --trace sort.json

        TIME: the median over repetitions of one evaluation, with the inputs on the
        device and nothing read back. On Vulkan GPUs the sum of the launches' own
        times, by the device's timestamps; elsewhere the clock over replays submitted
        back to back, divided by their number. What fits into a cache is measured from
        there.

        OF ROOFLINE: the least time that the operations and the bytes would take, as a
        share of the time taken, at the rates of the fastest products or
        multiplications and of the fastest copy or sum, in float32, that were measured
        on the device just before. What lies in a cache, or is better than those, can
        be above 100%.

        ERROR: the largest difference from a reference in float64, as a multiple of
        what rounding alone may cause; up to 1 the check is passed. Outputs hold NaN
        before the run that is checked. Of large products the first and last rows and
        columns and a random sample are checked; a random sample also of large
        convolutions, attentions, transforms, factors and sorted rows; of everything
        else every element. For a sample of a primitive, the multiple is of the
        tolerance that the tests hold it to.

        JSON: a list of objects with case, kernel, variant, device, shape, type,
        median_ms, gflops (10^9 operations a second), gbps (10^9 bytes a second, inputs
        and outputs counted once), of_roofline (1 is all of it), error and passed. An
        infinite error is the text "Infinity".

        USAGE: gpubench run <case> [--device <device>] [--shape <shape>] [--type <type>] [<options>]

        ARGUMENTS:
          <case>                  A family of cases, one case, a primitive or one of
                                  its samples.

        OPTIONS:
          --device <device>       Where to run: cpu, vulkan:N, opencl:N, or auto for
                                  the fastest real GPU, else cpu. (default: auto)
          --shape <shape>         The extents, in the form that the case takes.
          --type <type>           What an element is, such as float32 or float64.
                                  (default: float32)
          --variant <variant>     One of the kernel's variants, or all that run on the
                                  device. (default: chosen by rule)
          --transpose <transpose> matmul: which factors are stored transposed: left,
                                  right or both. (values: left, right, both)
          --batch <batch>         matmul: how many products are computed at once.
          --axis <axis>           reduce: only what folds rows, columns or all.
                                  (values: rows, columns, all)
          --repeat <count>        The most repetitions. (default: 100)
          --seconds <seconds>     Begin no repetition after this time; three are made
                                  in any case. (default: 1.0)
          --apart                 Give each operation a kernel of its own, to see what
                                  sharing them is worth.
          --trace <file>          Time each launch too, and write a trace that
                                  ui.perfetto.dev and chrome://tracing show.
          --json                  Print a JSON array to standard output instead of a
                                  table.
          --version               Show the version.
          -h, --help              Show help information.
        """)
  }

  @Test("gpubench tune --help says what is tuned, how, and what for")
  func tune() {
    #expect(
      help(of: TuneCommand.self) == """
        OVERVIEW: Finds the fastest kernel variants of a device, among those that are
        right.

        WHAT CAN BE TUNED: every operation with more than one variant on the device in
        a case of 'gpubench run', in the samples of a primitive, in one sample, or in
        all samples of all primitives.

        EXAMPLES:
          gpubench tune matmul --device vulkan:0 --shape 2048x2048x2048
          gpubench tune convolution --device opencl:0 --budget 120
          gpubench tune all --json
          gpubench tune --list
          HEKLA_TUNING=1 gpubench run matmul --shape 2000x2000x2000

        HOW: each variant is verified first, on memory full of NaN and between guard
        words, against a reference in float64; for large shapes at a smaller one, and
        then against the others at the shape itself. Those that fail are rejected. The
        others are timed in alternation, and the one that the rules choose stays unless
        another saves more than 5% of its time. Variants that take three times as long
        at first are dropped.

        WHAT FOR: choices are kept per device and driver, beside the compiled kernels
        (HEKLA_CACHE), for all extents that round up to the same powers of two; a
        second run keeps them. Programs compile by them only where HEKLA_TUNING is 1 or
        their compiler options say so, because a choice changes the last bits of
        results.

        JSON: a list of objects with primitive, attributes, inputs, default, chosen
        (null where no variant was right), kept (from an earlier run) and variants:
        objects with variant, outcome (timed, slow, rejected, skipped, untried),
        median_ms and reason.

        USAGE: gpubench tune <case> [--device <device>] [--shape <shape>] [--budget <seconds>] [<options>]
               gpubench tune (--list | --clear) [--device <device>]

        ARGUMENTS:
          <case>                  A case or family of cases, a primitive or one of its
                                  samples, or all.

        OPTIONS:
          --device <device>       What to tune: cpu, vulkan:N, opencl:N, or auto for
                                  the fastest real GPU, else cpu. (default: auto)
          --shape <shape>         The extents, in the form that the case takes.
          --type <type>           What an element is, such as float32 or float64.
                                  (default: float32)
          --transpose <transpose> matmul: which factors are stored transposed: left,
                                  right or both. (values: left, right, both)
          --batch <batch>         matmul: how many products are computed at once.
          --budget <seconds>      Begin no variant after this time. (default: 60.0)
          --list                  Print what was chosen on the device so far.
          --clear                 Forget what was chosen on the device so far.
          --json                  Print a JSON array to standard output instead of a
                                  table.
          --version               Show the version.
          -h, --help              Show help information.
        """)
  }

  @Test("gpubench step --help describes the steps, and says what is measured and checked")
  func step() {
    #expect(
      help(of: StepCommand.self) == """
        OVERVIEW: Trains a network on a device, checks that it learns, and times a
        step.

        STEPS, each a whole one with gradient and update, in float32 on generated data:
          lenet        LeNet-300-100 (784-300-100-10, ReLU), batch 60; Adam 1.2e-3
          resnet       residual network of 3 stages of 2 blocks with 16, 32 and 64
                       channels, batch norm, on 3x32x32 images, batch 32; SGD 0.1 with
                       momentum 0.9
          transformer  4 pre-norm blocks of width 128, 4 heads and 512 hidden units
                       (GELU by erf), causal, 256 symbols, sequences of 64, batch 32;
                       Adam 1e-3
          dagnn        deep adaptive graph network, 10 propagations, on 2,708 vertices,
                       10,556 edges and 1,433 features in sparse form, of which 18 a
                       vertex are 1; dropout 0.8 before both layers of 1433-64-7;
                       Adam 0.01
          lstm         one layer of 128 units over sequences of 64 steps of 32 numbers,
                       10 classes from the last state, batch 32; Adam 1e-3
          tabular      3 layers of self-attention over 16 fields of 1,000 values,
                       embedded in 16 numbers, 2 heads of 16, batch 1024; Adam 1e-3

        EXAMPLES:
          gpubench step lenet --device cpu
          gpubench step transformer --device vulkan:0 --json
          gpubench step resnet --device opencl:0 --steps 20 --rerecord
          gpubench step lstm --device cpu --profile

        TIME: the median of a step, each with the next batch from the host's memory and
        no loss read. On GPUs over blocks of steps of some 20 ms, submitted back to
        back and waited for once; on cpu over single steps. The first step's is told
        from the start of the process to its end, with everything: loading, data,
        planning and compiling. Host time is the processor time of the submitting
        thread for a step whose batch is there, on an idle device, divided by the
        launches; wall is the same by the clock, which counts waiting too, for a core
        above all where the driver's threads share them; on cpu, where submitting is
        running, both are what is spent outside of the launches, by the clock. Upload
        is the time until a batch is handed over, on GPUs to one that is at work on the
        step before. Each is a median over as many steps as are timed.

        MEMORY: the peak is by how much the process's resident memory grew at most,
        from before the step was compiled to after the last (VmHWM less VmRSS in
        /proc/self/status); memory of a GPU's own is not in it. Planned are the arenas
        and parameters, as the plan has them.

        CHECK: passed where the loss is finite and fell from the first step to the
        last, which has the first one's batch, and a second training from the same seed
        had the same bits of both losses.

        PROFILE: instead of the above, steps as they are by turns with steps whose
        launches are timed one by one, and a table as 'hekla profile' has it.

        JSON: an object with step, device, median_ms, first_ms, peak_bytes,
        planned_bytes, launches, host_us_per_launch, host_wall_us_per_launch,
        upload_us, loss_first, loss_last and passed. What the system does not tell is
        null.

        USAGE: gpubench step <step> [--device <device>] [--steps <count>] [<options>]

        ARGUMENTS:
          <step>                  The network, its data and its optimizer.

        OPTIONS:
          --device <device>       Where to run: cpu, vulkan:N, opencl:N, or auto for
                                  the fastest real GPU, else cpu. (default: auto)
          --steps <count>         How many steps are timed. (default: about a second's
                                  worth, at least 10)
          --batch <count>         Examples of a step. (default: as above)
          --rerecord              Record the commands anew for each step, to see what
                                  replaying them is worth.
          --profile               Tell kernel by kernel where the time of a step goes.
          --trace <file>          With --profile, also write a trace that
                                  ui.perfetto.dev and chrome://tracing show.
          --json                  Print a JSON object to standard output instead of a
                                  table.
          --version               Show the version.
          -h, --help              Show help information.
        """)
  }
}
