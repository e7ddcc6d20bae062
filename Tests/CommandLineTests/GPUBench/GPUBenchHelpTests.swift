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
        OVERVIEW: Measures the kernels of a device, and checks what they compute.

        EXAMPLES:
          gpubench devices
          gpubench list
          gpubench run matmul --device vulkan:0 --shape 2048x2048x2048 --variant all
          gpubench run reduce --device cpu --json
          gpubench tune matmul --device vulkan:0 --shape 2048x2048x2048

        EXIT CODES:
          0  done, and every result was right
          1  a result was wrong, or the work failed while it ran
          2  bad input: a case, device, shape, type, variant or option

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
          matmul       MxNxK            an M x K times a K x N matrix
          elementwise  N or AxBx...     add, gelu, chain (of 8 operations), copy
          reduce       ROWSxCOLUMNS     sum, max, softmax; of rows, columns, all
          scatter      EDGESxCOLUMNSxROWS
                                        scatter-sum and gather of EDGES rows of
                                        COLUMNS elements, at indices below ROWS
        Any single case can be named too, such as gelu or sum-rows. Without --shape, it
        is one that suits the device.

        SAMPLES OF PRIMITIVES:
          sort         every sample of the primitive that the device can run
          gather/all   the same, where a case has the primitive's name
          gather/rows  one sample
        'gpubench list' has the primitives, their samples and variants. Samples have
        shapes and types of their own, and are timed whole: with what prepares the
        primitive's inputs.

        EXAMPLES:
          gpubench run matmul --device vulkan:0 --variant all
          gpubench run matmul --shape 512x512x64 --batch 16 --transpose right
          gpubench run softmax-rows --device cpu --shape 4096x1024 --json
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
        columns and a random sample are checked, of everything else every element. For
        a sample of a primitive, the multiple is of the tolerance that the tests hold
        it to.

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
}
