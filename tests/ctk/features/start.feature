Feature: Event-Driven Start
  As an implementer of the workflow DSL
  I want to ensure that events start workflows, each once
  So that my implementation conforms to the expected behavior

  # dsl.md "Input of event-driven scheduled workflows": an array of the events
  Scenario: Start On One Event
    Given the workspace has a file 'flows/nurse.yaml':
    """yaml
    document:
      dsl: '1.0.3'
      namespace: default
      name: nurse
      version: '1.0.0'
    schedule:
      on:
        one:
          with:
            type: com.example.heartbeat.low
    do:
      - note:
          set:
            bpm: ${ $workflow.input[0].bpm }
            events: ${ $workflow.input | length }
    """
    When the event is emitted:
    """yaml
    { id: '1', source: /bed/1, type: com.example.heartbeat.low, data: { bpm: 40 } }
    """
    And the event is emitted:
    """yaml
    { id: '1', source: /bed/1, type: com.example.heartbeat.low, data: { bpm: 40 } }
    """
    And the event is emitted:
    """yaml
    { id: '2', source: /bed/1, type: com.example.heartbeat.high, data: { bpm: 140 } }
    """
    And the event is emitted:
    """yaml
    { id: '3', source: /bed/1, type: com.example.heartbeat.low, data: { bpm: 30 } }
    """
    Then the workflow 'nurse' should have completed with outputs:
    """yaml
    - { bpm: 40, events: 1 }
    - { bpm: 30, events: 1 }
    """

  # dsl-reference.md "Schedule": read
  Scenario: Start And Read The Envelope
    Given the workspace has a file 'flows/nurse.yaml':
    """yaml
    document:
      dsl: '1.0.3'
      namespace: default
      name: nurse
      version: '1.0.0'
    schedule:
      on:
        one:
          with:
            type: com.example.heartbeat.low
      read: envelope
    do:
      - note:
          set:
            from: ${ $workflow.input[0].source }
            bpm: ${ $workflow.input[0].data.bpm }
    """
    When the event is emitted:
    """yaml
    { id: '1', source: /bed/1, type: com.example.heartbeat.low, data: { bpm: 40 } }
    """
    Then the workflow 'nurse' should have completed with outputs:
    """yaml
    - { from: /bed/1, bpm: 40 }
    """

  # dsl-reference.md "Event Consumption Strategy" (all), "Correlation": what is gathered survives
  Scenario: Start On All Of Several
    Given the workspace has a file 'flows/pair.yaml':
    """yaml
    document:
      dsl: '1.0.3'
      namespace: default
      name: pair
      version: '1.0.0'
    schedule:
      on:
        all:
          - with:
              type: com.example.paid
            correlate:
              order:
                from: .data.order
          - with:
              type: com.example.packed
            correlate:
              order:
                from: .data.order
    do:
      - note:
          set:
            orders: ${ [ $workflow.input[].order ] }
    """
    When the event is emitted:
    """yaml
    { id: '1', source: /x, type: com.example.paid, data: { order: a } }
    """
    And the engine is killed and restarted
    And the event is emitted:
    """yaml
    { id: '2', source: /x, type: com.example.packed, data: { order: b } }
    """
    Then the workflow 'pair' should have run 0 times
    When the event is emitted:
    """yaml
    { id: '3', source: /x, type: com.example.packed, data: { order: a } }
    """
    Then the workflow 'pair' should have completed with outputs:
    """yaml
    - orders: [ a, a ]
    """

  # A run that is not over does not keep the next from starting.
  Scenario: Start While Another Runs
    Given the workspace has a file 'flows/slow.yaml':
    """yaml
    document:
      dsl: '1.0.3'
      namespace: default
      name: slow
      version: '1.0.0'
    schedule:
      on:
        any:
          - with:
              type: com.example.a
          - with:
              type: com.example.b
    do:
      - pause:
          wait: PT1H
      - note:
          set:
            heard: ${ $workflow.input[0] }
    """
    When the event is emitted:
    """yaml
    { id: '1', source: /x, type: com.example.a, data: first }
    """
    And the event is emitted:
    """yaml
    { id: '2', source: /x, type: com.example.b, data: second }
    """
    And the clock runs on
    Then the workflow 'slow' should have completed with outputs:
    """yaml
    - { heard: first }
    - { heard: second }
    """
