import Testing

@testable import HeklaExperiments

@Suite struct SettingsTests {
  private func settings() throws -> Settings { try SampleStudy().settings() }

  @Test("settings are listed in the order of their declaration, one level of nesting with a dot")
  func order() throws {
    let settings = try settings()
    #expect(
      settings.names == [
        "width", "learningRate", "isCentered", "label", "net", "layers", "schedule.rate", "schedule.warmup",
        "small",
      ])
    #expect(
      settings.list.map(\.kindText) == [
        "integer", "number", "true | false", "text or none", "lenet | conv2", "integer, ...", "number",
        "integer or none", "integer",
      ])
    #expect(
      settings.list.map(\.valueText) == [
        "64", "1.0", "false", "none", "lenet", "300,100", "0.1", "none", "3",
      ])
    #expect(settings.list[0].note == "The number of hidden units, `H` in the paper.")
  }

  @Test("every kind of value can be set and arrives in the struct")
  func apply() throws {
    let study = try SampleStudy(applying: [
      "width=1_28", "learningRate=1e-3", "isCentered=true", "label=a=b", "net=conv2", "layers=5, 6,7",
      "schedule.rate=0.25", "schedule.warmup=10", "small=255",
    ])
    #expect(study.width == 128)
    #expect(study.learningRate == 0.001)
    #expect(study.isCentered)
    #expect(study.label == "a=b")
    #expect(study.net == .conv2)
    #expect(study.layers == [5, 6, 7])
    #expect(study.schedule.rate == 0.25)
    #expect(study.schedule.warmup == 10)
    #expect(study.small == 255)
  }

  @Test("none empties an optional, an empty list is a list, the last of two assignments counts")
  func empties() throws {
    let study = try SampleStudy(applying: ["label=x", "label=none", "layers=", "width=1", "width=2"])
    #expect(study.label == nil)
    #expect(study.layers.isEmpty)
    #expect(study.width == 2)
  }

  @Test("a number without fraction still sets a floating-point setting, and the other way round does not")
  func integersAndFractions() throws {
    #expect(try SampleStudy(applying: ["learningRate=2"]).learningRate == 2)
    #expect(throws: ExperimentError.self) { try SampleStudy(applying: ["width=2.5"]) }
  }

  @Test(
    "a bad assignment says what is wrong and what there is",
    arguments: [
      (
        "widht=3",
        "sample-study has no setting 'widht'. Did you mean 'width'? It has width, learningRate, isCentered, "
          + "label, net, layers, schedule.rate, schedule.warmup, small."
      ),
      (
        "width",
        "'width' is not of the form name=value, such as --set width=value. It has width, learningRate, "
          + "isCentered, label, net, layers, schedule.rate, schedule.warmup, small."
      ),
      ("width=wide", "Setting 'width' of sample-study is a whole number, such as 64; 'wide' was given."),
      (
        "learningRate=",
        "Setting 'learningRate' of sample-study is a number, such as 0.5 or 1e-3; '' was given."
      ),
      ("small=256", "Setting 'small' of sample-study is a whole number from 0 to 255; '256' was given."),
      ("small=-1", "Setting 'small' of sample-study is a whole number from 0 to 255; '-1' was given."),
      ("net=vgg", "Setting 'net' of sample-study is one of lenet, conv2; 'vgg' was given."),
      ("isCentered=yes", "Setting 'isCentered' of sample-study is true or false; 'yes' was given."),
      (
        "layers=3,x",
        "Setting 'layers' of sample-study is whole numbers separated by commas, such as 300,100; '3,x' was given."
      ),
      (
        "schedule.warmup=soon",
        "Setting 'schedule.warmup' of sample-study is a whole number, such as 64, or none; 'soon' was given."
      ),
    ])
  func errors(assignment: String, message: String) throws {
    let error = try #require(throws: ExperimentError.self) { try SampleStudy(applying: [assignment]) }
    #expect(error.description == message)
    #expect(error.isBadInput)
  }

  @Test("a value that the type itself refuses names the setting and what was given")
  func rejected() throws {
    enum Mode: String, Codable { case fast, exact }
    struct Modal: Codable { var mode = Mode.fast }
    var settings = try Settings(of: Modal(), owner: "modal")
    try settings.apply("mode=exact")
    #expect(try settings.decoded(as: Modal.self).mode == .exact)
    try settings.apply("mode=vague")
    let error = try #require(throws: ExperimentError.self) { try settings.decoded(as: Modal.self) }
    #expect(error.description.hasPrefix("Setting 'mode' of modal is not usable, 'vague' was given: "))
    #expect(error.description.hasSuffix("'hekla show modal' prints the settings and their defaults."))
  }

  @Test("settings survive the way through their document")
  func document() throws {
    var changed = SampleStudy()
    changed.learningRate = .infinity
    changed.schedule.warmup = 7
    let copy = try changed.settings().decoded(as: SampleStudy.self)
    #expect(copy.learningRate == .infinity)
    #expect(copy.schedule.warmup == 7)
    #expect(
      try changed.settings().document.description
        == #"{"width": 64, "learningRate": "Infinity", "isCentered": false, "label": null, "net": "lenet", "#
        + #""layers": [300, 100], "schedule": {"rate": 0.1, "warmup": 7}, "small": 3}"#)
  }

  @Test("a value that is no struct has no settings, and says so")
  func unreadable() throws {
    let error = try #require(throws: ExperimentError.self) { try Settings(of: 3, owner: "three") }
    #expect(error.description.contains("It encodes as 3, not as named values."))
    struct Nothing: Codable {}
    #expect(try Settings(of: Nothing(), owner: "nothing").list.isEmpty)
  }
}
