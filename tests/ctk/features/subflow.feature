Feature: Run Workflow
  As an implementer of the workflow DSL
  I want to ensure that workflows can run other workflows
  So that my implementation conforms to the expected behavior

  # dsl-reference.md "Workflow Process": input goes in, the output is the task's
  Scenario: Run Workflow With Input
    Given the workspace has a file 'flows/register.yaml':
    """yaml
    document: { dsl: '1.0.3', namespace: test, name: register, version: '0.1.0' }
    input: { schema: { document: { type: object, required: [ customer ] } } }
    do:
      - rest: { wait: { milliseconds: 50 } }
      - out: { set: { registered: '${ $start.customer.name }' } }
    """
    And a workflow with definition:
    """yaml
    document: { dsl: '1.0.3', namespace: test, name: outer, version: '0.1.0' }
    do:
      - register:
          run:
            workflow: { namespace: test, name: register, version: '0.1.0', input: { customer: '${ .user }' } }
    """
    And given the workflow input is:
    """yaml
    user: { name: Ann }
    """
    When the workflow is executed
    Then the workflow should complete with output:
    """yaml
    registered: Ann
    """

  # dsl-reference.md "Workflow Process": the input is validated against the target's schema
  Scenario: Run Workflow With Invalid Input
    Given the workspace has a file 'flows/register.yaml':
    """yaml
    document: { dsl: '1.0.3', namespace: test, name: register, version: '0.1.0' }
    input: { schema: { document: { type: object, required: [ customer ] } } }
    do: [ { out: { set: { registered: true } } } ]
    """
    And a workflow with definition:
    """yaml
    document: { dsl: '1.0.3', namespace: test, name: outer, version: '0.1.0' }
    do:
      - guard:
          try: [ { register: { run: { workflow: { namespace: test, name: register, version: latest } } } } ]
          catch: { errors: { with: { status: 400 } }, as: e, do: [ { say: { set: { caught: '${ $e.type }' } } } ] }
    """
    When the workflow is executed
    Then the workflow should complete with output:
    """yaml
    caught: https://open-workflow-specification.org/spec/1.0.0/errors/validation
    """

  # dsl-reference.md "Run": await false, the task outputs its transformed input
  Scenario: Run Workflow Without Await
    Given the workspace has a file 'flows/register.yaml':
    """yaml
    document: { dsl: '1.0.3', namespace: test, name: register, version: '0.1.0' }
    do: [ { long: { wait: { hours: 2 } } } ]
    """
    And a workflow with definition:
    """yaml
    document: { dsl: '1.0.3', namespace: test, name: outer, version: '0.1.0' }
    do:
      - register:
          input: { from: .user }
          run:
            workflow: { namespace: test, name: register, version: '0.1.0' }
            await: false
    """
    And given the workflow input is:
    """yaml
    user: { name: Ann }
    """
    When the workflow is executed
    Then the workflow should complete with output:
    """yaml
    name: Ann
    """
