Feature: Wait Task
  As an implementer of the workflow DSL
  I want to ensure that wait tasks hold the workflow for as long as they say
  So that my implementation conforms to the expected behavior

  # dsl-reference.md "Wait", "Duration": the inline form
  Scenario: Wait For An Inline Duration
    Given a workflow with definition:
    """yaml
    document:
      dsl: '1.0.3'
      namespace: default
      name: wait-inline
      version: '1.0.0'
    do:
      - before:
          set:
            stage: before
      - pause:
          wait:
            days: 1
            hours: 2
            minutes: 3
            seconds: 4
            milliseconds: 500
      - after:
          set:
            stage: ${ .stage + " and after" }
    """
    When the workflow is executed
    Then the workflow should complete with output:
    """yaml
    stage: before and after
    """
    And the workflow should have waited P1DT2H3M4.5S
    And before should run first
    And after should run last
    And pause should run 1 time

  # dsl-reference.md "Duration": ISO 8601
  Scenario: Wait For An ISO 8601 Duration
    Given a workflow with definition:
    """yaml
    document:
      dsl: '1.0.3'
      namespace: default
      name: wait-iso
      version: '1.0.0'
    do:
      - pause:
          wait: PT1H30M
    """
    And given the workflow input is:
    """yaml
    kept: true
    """
    When the workflow is executed
    Then the workflow should complete with output:
    """yaml
    kept: true
    """
    And the workflow should have waited PT1H30M

  # A wait is not over before its time, and not begun anew by a restart.
  Scenario: Wait Neither Ends Early Nor Begins Anew
    Given a workflow with definition:
    """yaml
    document:
      dsl: '1.0.3'
      namespace: default
      name: wait-restart
      version: '1.0.0'
    do:
      - pause:
          wait:
            minutes: 10
    """
    When the workflow is started
    And the clock moves on by PT9M59.999S
    And the engine is killed and restarted
    Then the workflow should be waiting
    When the clock moves on by PT0.001S
    Then the workflow should complete
    And the workflow should have waited PT10M

  # What falls due while nothing runs is over as soon as something does.
  Scenario: Wait That Ends While The Engine Is Away
    Given a workflow with definition:
    """yaml
    document:
      dsl: '1.0.3'
      namespace: default
      name: wait-away
      version: '1.0.0'
    do:
      - pause:
          wait: PT10M
      - next:
          wait: PT5M
    """
    And the clock stands at 2026-05-04T10:00:00Z
    When the workflow is started
    And the engine is killed and restarted at 2026-05-04T11:00:00Z
    Then the workflow should be waiting
    When the clock moves on by PT5M
    Then the workflow should complete
    And the workflow should have waited PT1H5M

  Scenario: Wait Is Cancelled
    Given a workflow with definition:
    """yaml
    document:
      dsl: '1.0.3'
      namespace: default
      name: wait-cancelled
      version: '1.0.0'
    do:
      - pause:
          wait: P1D
      - never:
          set:
            never: true
    """
    When the workflow is started
    And the operator cancels the workflow
    And the clock moves on by P2D
    Then the workflow should be cancelled
    And never should not run

  Scenario: Branches Wait At The Same Time
    Given a workflow with definition:
    """yaml
    document:
      dsl: '1.0.3'
      namespace: default
      name: wait-branches
      version: '1.0.0'
    do:
      - both:
          fork:
            branches:
              - long:
                  wait: PT3M
              - short:
                  wait: PT1M
    """
    When the workflow is executed
    Then the workflow should complete
    And the workflow should have waited PT3M
    And long should complete after short
