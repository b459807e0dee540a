Feature: Conditional Task
  As an implementer of the workflow DSL
  I want to ensure that tasks are run only where their condition holds
  So that my implementation conforms to the expected behavior

  # dsl-reference.md "Task": if
  Scenario: If Holds
    Given a workflow with definition:
    """yaml
    document:
      dsl: '1.0.3'
      namespace: default
      name: if-true
      version: '1.0.0'
    do:
      - adult:
          if: ${ .age >= 18 }
          set:
            allowed: true
    """
    And given the workflow input is:
    """yaml
    age: 18
    """
    When the workflow is executed
    Then the workflow should complete with output:
    """yaml
    allowed: true
    """
    And adult should run 1 time

  # dsl-reference.md "Task": skipped, and the raw task input becomes the task's output;
  # dsl.md "Data Flow": the first context is the workflow's transformed input
  Scenario: If Does Not Hold
    Given a workflow with definition:
    """yaml
    document:
      dsl: '1.0.3'
      namespace: default
      name: if-false
      version: '1.0.0'
    do:
      - adult:
          if: .age >= 18
          input:
            from: '{ changed: true }'
          set:
            allowed: true
          output:
            as: '{ also: changed }'
          export:
            as: '{ exported: true }'
      - context:
          set:
            before: ${ . }
            context: ${ $context }
    """
    And given the workflow input is:
    """yaml
    age: 17
    """
    When the workflow is executed
    Then the workflow should complete with output:
    """yaml
    before: { age: 17 }
    context: { age: 17 }
    """
    And adult should be skipped

  # dsl-reference.md "Task": evaluated against the raw task input, before any other expression
  Scenario: If Sees The Raw Input
    Given a workflow with definition:
    """yaml
    document:
      dsl: '1.0.3'
      namespace: default
      name: if-raw
      version: '1.0.0'
    do:
      - pick:
          if: .user.age == 40
          input:
            from: .user
          set:
            age: ${ .age }
    """
    And given the workflow input is:
    """yaml
    user: { age: 40 }
    """
    When the workflow is executed
    Then the workflow should complete with output:
    """yaml
    age: 40
    """

  Scenario: If Of A Whole Block
    Given a workflow with definition:
    """yaml
    document:
      dsl: '1.0.3'
      namespace: default
      name: if-block
      version: '1.0.0'
    do:
      - block:
          if: '.go'
          do:
            - pause:
                wait: PT1H
            - inside:
                set:
                  inside: true
      - after:
          set:
            after: true
    """
    And given the workflow input is:
    """yaml
    go: false
    """
    When the workflow is executed
    Then the workflow should complete with output:
    """yaml
    after: true
    """
    And block should be skipped
    And inside should not run
    And the workflow should have waited PT0S

  # A condition that cannot be worked out is an error, not a no.
  Scenario: If Cannot Be Worked Out
    Given a workflow with definition:
    """yaml
    document:
      dsl: '1.0.3'
      namespace: default
      name: if-error
      version: '1.0.0'
    do:
      - broken:
          if: .name.first == "x"
          set:
            never: true
    """
    And given the workflow input is:
    """yaml
    name: [ x ]
    """
    When the workflow is executed
    Then the workflow should fault with error:
    """yaml
    type: https://open-workflow-specification.org/spec/1.0.0/errors/expression
    status: 400
    instance: /do/0/broken
    """
