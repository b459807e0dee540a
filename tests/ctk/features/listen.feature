Feature: Listen Task
  As an implementer of the workflow DSL
  I want to ensure that listen tasks consume the events they name, each once
  So that my implementation conforms to the expected behavior

  # dsl-reference.md "Listen": an array of the events consumed, read as data
  Scenario: Listen To One
    Given a workflow with definition:
    """yaml
    document:
      dsl: '1.0.3'
      namespace: default
      name: listen-one
      version: '1.0.0'
    do:
      - hear:
          listen:
            to:
              one:
                with:
                  type: com.example.started
    """
    When the workflow is started
    Then the workflow should be waiting
    When the event is emitted:
    """yaml
    id: '1'
    source: https://example.com
    type: com.example.other
    data: { wrong: true }
    """
    Then the workflow should be waiting
    When the event is emitted:
    """yaml
    id: '2'
    source: https://example.com
    type: com.example.started
    data: { car: 7 }
    """
    Then the workflow should complete with output:
    """yaml
    - car: 7
    """

  # CloudEvents 1.0: source and id together are the event
  Scenario: An Event That Comes Twice Is Heard Once
    Given a workflow with definition:
    """yaml
    document:
      dsl: '1.0.3'
      namespace: default
      name: listen-twice
      version: '1.0.0'
    do:
      - hear:
          listen:
            to:
              any:
                - with:
                    type: com.example.reading
              until: '${ length == 2 }'
    """
    When the workflow is started
    And the event is emitted:
    """yaml
    { id: a, source: https://example.com, type: com.example.reading, data: 1 }
    """
    And the event is emitted:
    """yaml
    { id: a, source: https://example.com, type: com.example.reading, data: 1 }
    """
    Then the workflow should be waiting
    When the event is emitted:
    """yaml
    { id: a, source: https://elsewhere.example.com, type: com.example.reading, data: 2 }
    """
    Then the workflow should complete with output:
    """yaml
    [ 1, 2 ]
    """

  # dsl-reference.md "Event Consumption Strategy": any, without until, ends with the first
  Scenario: Listen To Any
    Given a workflow with definition:
    """yaml
    document:
      dsl: '1.0.3'
      namespace: default
      name: listen-any
      version: '1.0.0'
    do:
      - callDoctor:
          listen:
            to:
              any:
                - with:
                    type: com.fake-hospital.vitals.measurements.temperature
                    data: ${ .temperature > 38 }
                - with:
                    type: com.fake-hospital.vitals.measurements.bpm
                    data: ${ .bpm < 60 or .bpm > 100 }
    """
    When the workflow is started
    And the event is emitted:
    """yaml
    { id: '1', source: /bed/1, type: com.fake-hospital.vitals.measurements.temperature, data: { temperature: 37 } }
    """
    And the event is emitted:
    """yaml
    { id: '2', source: /bed/1, type: com.fake-hospital.vitals.measurements.bpm, data: { bpm: 70 } }
    """
    Then the workflow should be waiting
    When the event is emitted:
    """yaml
    { id: '3', source: /bed/1, type: com.fake-hospital.vitals.measurements.bpm, data: { bpm: 120 } }
    """
    Then the workflow should complete with output:
    """yaml
    - bpm: 120
    """

  Scenario: Listen To All In Any Order
    Given a workflow with definition:
    """yaml
    document:
      dsl: '1.0.3'
      namespace: default
      name: listen-all
      version: '1.0.0'
    do:
      - hear:
          listen:
            to:
              all:
                - with:
                    type: com.example.left
                - with:
                    type: com.example.right
    """
    When the workflow is started
    And the event is emitted:
    """yaml
    { id: '1', source: /x, type: com.example.right, data: right }
    """
    And the event is emitted:
    """yaml
    { id: '2', source: /x, type: com.example.right, data: again }
    """
    Then the workflow should be waiting
    When the event is emitted:
    """yaml
    { id: '3', source: /x, type: com.example.left, data: left }
    """
    Then the workflow should complete with output:
    """yaml
    [ right, left ]
    """

  # dsl-reference.md "Listen", warning: what an until clause consumes is not in the output
  Scenario: Listen Until An Event
    Given a workflow with definition:
    """yaml
    document:
      dsl: '1.0.3'
      namespace: default
      name: listen-until-event
      version: '1.0.0'
    do:
      - hear:
          listen:
            to:
              any:
                - with:
                    type: com.example.reading
              until:
                one:
                  with:
                    type: com.example.checked-out
    """
    When the workflow is started
    And the event is emitted:
    """yaml
    { id: '1', source: /x, type: com.example.reading, data: 1 }
    """
    And the event is emitted:
    """yaml
    { id: '2', source: /x, type: com.example.reading, data: 2 }
    """
    Then the workflow should be waiting
    When the event is emitted:
    """yaml
    { id: '3', source: /x, type: com.example.checked-out, data: 3 }
    """
    Then the workflow should complete with output:
    """yaml
    [ 1, 2 ]
    """

  # dsl-reference.md "Correlation": the first value is what all others must have
  Scenario: Listen With Correlation
    Given a workflow with definition:
    """yaml
    document:
      dsl: '1.0.3'
      namespace: default
      name: listen-correlated
      version: '1.0.0'
    do:
      - hear:
          listen:
            to:
              all:
                - with:
                    type: com.example.temperature
                  correlate:
                    room:
                      from: .roomid
                - with:
                    type: com.example.humidity
                  correlate:
                    room:
                      from: .roomid
    """
    When the workflow is started
    And the event is emitted:
    """yaml
    { id: '1', source: /x, type: com.example.temperature, roomid: kitchen, data: 21 }
    """
    And the event is emitted:
    """yaml
    { id: '2', source: /x, type: com.example.humidity, roomid: cellar, data: 80 }
    """
    Then the workflow should be waiting
    When the event is emitted:
    """yaml
    { id: '3', source: /x, type: com.example.humidity, roomid: kitchen, data: 40 }
    """
    Then the workflow should complete with output:
    """yaml
    [ 21, 40 ]
    """

  Scenario: Listen With An Expected Correlation
    Given a workflow with definition:
    """yaml
    document:
      dsl: '1.0.3'
      namespace: default
      name: listen-expected
      version: '1.0.0'
    do:
      - hear:
          listen:
            to:
              one:
                with:
                  type: com.example.paid
                correlate:
                  order:
                    from: .data.order
                    expect: ${ .order }
    """
    And given the workflow input is:
    """yaml
    order: b
    """
    When the workflow is started
    And the event is emitted:
    """yaml
    { id: '1', source: /x, type: com.example.paid, data: { order: a } }
    """
    Then the workflow should be waiting
    When the event is emitted:
    """yaml
    { id: '2', source: /x, type: com.example.paid, data: { order: b } }
    """
    Then the workflow should complete with output:
    """yaml
    - order: b
    """

  # dsl-reference.md "Listen": read
  Scenario: Listen And Read The Envelope
    Given a workflow with definition:
    """yaml
    document:
      dsl: '1.0.3'
      namespace: default
      name: listen-envelope
      version: '1.0.0'
    do:
      - hear:
          listen:
            to:
              one:
                with:
                  type: com.example.started
            read: envelope
          output:
            as: '${ .[0] | { id, source, type, specversion, subject, data } }'
    """
    When the workflow is started
    And the event is emitted:
    """yaml
    { id: '1', source: /x, type: com.example.started, subject: cars, data: { car: 7 } }
    """
    Then the workflow should complete with output:
    """yaml
    id: '1'
    source: /x
    type: com.example.started
    specversion: '1.0'
    subject: cars
    data: { car: 7 }
    """

  # dsl-reference.md "Subscription Iterator": one after the other, in the order they came
  Scenario: Listen And Process Each
    Given a workflow with definition:
    """yaml
    document:
      dsl: '1.0.3'
      namespace: default
      name: listen-foreach
      version: '1.0.0'
    do:
      - hear:
          listen:
            to:
              any: []
              until: '${ length == 3 }'
          foreach:
            item: reading
            at: place
            do:
              - rest:
                  wait: PT1M
              - note:
                  set:
                    place: ${ $place }
                    twice: ${ $reading * 2 }
    """
    When the workflow is started
    And the event is emitted:
    """yaml
    { id: '1', source: /x, type: com.example.a, data: 10 }
    """
    And the event is emitted:
    """yaml
    { id: '2', source: /x, type: com.example.b, data: 20 }
    """
    And the event is emitted:
    """yaml
    { id: '3', source: /x, type: com.example.c, data: 30 }
    """
    And the clock runs on
    Then the workflow should complete with output:
    """yaml
    - { place: 0, twice: 20 }
    - { place: 1, twice: 40 }
    - { place: 2, twice: 60 }
    """
    And the workflow should have waited PT3M
    And note should run 3 times

  # What is emitted before anybody listens is not kept for whoever comes later.
  Scenario: Listen Hears What Comes After It Began
    Given a workflow with definition:
    """yaml
    document:
      dsl: '1.0.3'
      namespace: default
      name: listen-late
      version: '1.0.0'
    do:
      - before:
          wait: PT1M
      - hear:
          listen:
            to:
              one:
                with:
                  type: com.example.started
    """
    When the workflow is started
    And the event is emitted:
    """yaml
    { id: '1', source: /x, type: com.example.started, data: early }
    """
    And the clock moves on by PT1M
    Then the workflow should be waiting
    When the event is emitted:
    """yaml
    { id: '2', source: /x, type: com.example.started, data: in time }
    """
    Then the workflow should complete with output:
    """yaml
    [ in time ]
    """

  # dsl.md "Timeouts"
  Scenario: Listen That Nobody Answers
    Given a workflow with definition:
    """yaml
    document:
      dsl: '1.0.3'
      namespace: default
      name: listen-timeout
      version: '1.0.0'
    do:
      - hear:
          listen:
            to:
              one:
                with:
                  type: com.example.never
          timeout:
            after:
              hours: 2
    """
    When the workflow is executed
    Then the workflow should fault with error:
    """yaml
    type: https://open-workflow-specification.org/spec/1.0.0/errors/timeout
    status: 408
    instance: /do/0/hear
    """
    And the workflow should have waited PT2H
