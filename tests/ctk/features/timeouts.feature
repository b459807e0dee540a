Feature: Timeouts
  As an implementer of the workflow DSL
  I want to ensure that workflows and tasks end when their time is over
  So that my implementation conforms to the expected behavior

  # dsl.md "Timeouts"; dsl-reference.md "Timeout", its example
  Scenario: Workflow Timeout
    Given a workflow with definition:
    """yaml
    document:
      dsl: '1.0.3'
      namespace: default
      name: timeout-example
      version: '0.1.0'
    do:
      - waitAMinute:
          wait:
            seconds: 60
    timeout:
      after:
        seconds: 30
    """
    When the workflow is executed
    Then the workflow should fault with error:
    """yaml
    type: https://open-workflow-specification.org/spec/1.0.0/errors/timeout
    status: 408
    """
    And the workflow should have waited PT30S

  Scenario: Task Timeout
    Given a workflow with definition:
    """yaml
    document:
      dsl: '1.0.3'
      namespace: default
      name: timeout-task
      version: '0.1.0'
    do:
      - waitAMinute:
          wait:
            seconds: 60
          timeout:
            after: PT20S
      - never:
          set:
            never: true
    """
    When the workflow is executed
    Then the workflow should fault with error:
    """yaml
    type: https://open-workflow-specification.org/spec/1.0.0/errors/timeout
    status: 408
    instance: /do/0/waitAMinute
    """
    And the workflow should have waited PT20S
    And never should not run

  # dsl-reference.md "Use": a timeout by name
  Scenario: Task Timeout By Name
    Given a workflow with definition:
    """yaml
    document:
      dsl: '1.0.3'
      namespace: default
      name: timeout-named
      version: '0.1.0'
    use:
      timeouts:
        short:
          after: PT5S
    do:
      - pause:
          wait: PT1M
          timeout: short
    """
    When the workflow is executed
    Then the workflow should fault with error:
    """yaml
    status: 408
    """
    And the workflow should have waited PT5S

  # A timeout is an error as any other, and can be caught.
  Scenario: Timeout Is Caught
    Given a workflow with definition:
    """yaml
    document:
      dsl: '1.0.3'
      namespace: default
      name: timeout-caught
      version: '0.1.0'
    do:
      - trySomething:
          try:
            - slow:
                do:
                  - one:
                      wait: PT40S
                  - two:
                      wait: PT40S
                timeout:
                  after: PT1M
          catch:
            errors:
              with:
                type: https://open-workflow-specification.org/spec/1.0.0/errors/timeout
            as: trouble
            do:
              - note:
                  set:
                    status: ${ $trouble.status }
    """
    When the workflow is executed
    Then the workflow should complete with output:
    """yaml
    status: 408
    """
    And one should run 1 time
    And the workflow should have waited PT1M

  Scenario: What Ends In Time Does Not Time Out
    Given a workflow with definition:
    """yaml
    document:
      dsl: '1.0.3'
      namespace: default
      name: timeout-in-time
      version: '0.1.0'
    do:
      - pause:
          wait: PT29S
          timeout:
            after: PT30S
      - longer:
          wait: PT1H
    timeout:
      after: PT2H
    """
    When the workflow is executed
    Then the workflow should complete
    And the workflow should have waited PT1H29S

  # Time that passes while nothing runs counts.
  Scenario: Timeout While The Engine Is Away
    Given a workflow with definition:
    """yaml
    document:
      dsl: '1.0.3'
      namespace: default
      name: timeout-away
      version: '0.1.0'
    do:
      - hear:
          listen:
            to:
              one:
                with:
                  type: com.example.never
          timeout:
            after: PT1H
    """
    And the clock stands at 2026-05-04T10:00:00Z
    When the workflow is started
    And the engine is killed and restarted at 2026-05-04T10:59:59Z
    Then the workflow should be waiting
    When the engine is killed and restarted at 2026-05-05T10:00:00Z
    Then the workflow should fault with error:
    """yaml
    status: 408
    """
